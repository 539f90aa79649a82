# The image of every service: `packages/<name>/image.json` says what is its own, and `image-definitions.ts` makes the
# build arguments of it. The base image brings `node` on the PATH and nothing that is needed beside it.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}

# Debian packages, and what has to be done to them (the service's `prepare-image.sh`).
ARG PACKAGES=
ARG PREPARE=:
RUN if [ -n "${PACKAGES}" ]; then \
      apt-get update -qq \
      && apt-get install -y -qq --no-install-recommends ${PACKAGES} \
      && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/log/*; \
    fi \
 && sh -euc "${PREPARE}"

COPY package.json dist/ /app/

# Beside a task all of this is decided by the worker over standard input; these are the defaults of
# `docker run -p 8080:80`.
ARG VARIABLES
ENV ${VARIABLES}_PORT=80 \
    ${VARIABLES}_ADDRESS=* \
    NODE_COMPILE_CACHE=/app/cache

# V8's compile cache belongs to one user id, so it is made as the user who will run the service. A start
# that finds its input at an end loads all code and leaves.
ARG USER_ID
RUN mkdir /app/cache && chown ${USER_ID}:${USER_ID} /app/cache
USER ${USER_ID}:${USER_ID}
RUN COMPILE_CACHE_TO_FILL=/app/cache NODE_COMPILE_CACHE= node --hash-seed=1 \
    --import /app/fill-compile-cache.mjs /app/main.js --control stdin < /dev/null

EXPOSE 80
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["node", "/app/main.js", "--healthcheck"]
# On a large machine V8 lets garbage of small requests grow to three times 32 MiB, which buys nothing here.
ENTRYPOINT ["node", "--max-semi-space-size=8", "/app/main.js"]

ARG NAME
ARG DESCRIPTION
ARG VERSION
ARG REVISION
ARG SOURCE
ENV ${VARIABLES}_REVISION=${REVISION}
LABEL org.opencontainers.image.title="${NAME}" \
      org.opencontainers.image.description="${DESCRIPTION}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="MPL-2.0"
