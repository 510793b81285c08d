# One target for each service and one for the lab: docker build --target gateway .
#
# The binaries are built outside (cargo build --release), because a build stage would need a Rust image and a registry
# to fetch it from. BASE_IMAGE is whatever image you have that holds the C library of the machine that built them
# (debian:bookworm-slim for a Debian 12); with binaries that are linked statically it may be `scratch`:
#   RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --target x86_64-unknown-linux-gnu
#   docker build --build-arg BASE_IMAGE=scratch --build-arg BIN_DIR=target/x86_64-unknown-linux-gnu/release ...
# Nothing is installed in it: who to trust is a CA file or a thumbprint in the configuration.
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${BASE_IMAGE} AS base
# A number and not a name, so that it works without /etc/passwd.
USER 65532:65532
WORKDIR /

FROM base AS inventory-svc
ARG BIN_DIR=target/release
COPY ${BIN_DIR}/inventory-svc /usr/local/bin/inventory-svc
HEALTHCHECK CMD ["/usr/local/bin/inventory-svc", "health"]
ENTRYPOINT ["/usr/local/bin/inventory-svc"]

FROM base AS storage-svc
ARG BIN_DIR=target/release
COPY ${BIN_DIR}/storage-svc /usr/local/bin/storage-svc
HEALTHCHECK CMD ["/usr/local/bin/storage-svc", "health"]
ENTRYPOINT ["/usr/local/bin/storage-svc"]

FROM base AS gateway
ARG BIN_DIR=target/release
COPY ${BIN_DIR}/gateway /usr/local/bin/gateway
HEALTHCHECK CMD ["/usr/local/bin/gateway", "health"]
ENTRYPOINT ["/usr/local/bin/gateway"]

FROM base AS lab
ARG BIN_DIR=target/release
COPY ${BIN_DIR}/strata /usr/local/bin/strata
ENTRYPOINT ["/usr/local/bin/strata"]
