/** How long the service may take to give its phone back when it is told to end. */
export const stopSeconds = 10;
