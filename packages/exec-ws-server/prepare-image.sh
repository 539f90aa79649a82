# Static programs that are lent to containers whose images lack them.
mkdir /opt/for-containers
cp /bin/busybox /opt/for-containers/busybox
cp /usr/bin/tini-static /opt/for-containers/tini
