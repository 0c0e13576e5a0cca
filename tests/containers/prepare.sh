#!/usr/bin/env bash
# Gets Lambda's Python image for `make test-containers`: pulled where a container registry can be reached, else built out of
# Debian's Python and AWS's own runtime interface client from the package index. The latter wants Debian and root, installs
# docker.io and debootstrap, and starts a Docker engine, which `prepare.sh --stop` ends again. Exits with 1, saying why,
# where neither is possible.
set -euo pipefail

PYTHON=3.13 # template.yaml's runtime, and the Python of Debian's release below
RELEASE=trixie
MACHINE=$(uname -m)
case "$MACHINE" in
    x86_64) ARCHITECTURE=x86_64 ;;
    aarch64 | arm64) MACHINE=aarch64 ARCHITECTURE=arm64 ;;
    *) echo "there is no Lambda image for $MACHINE" >&2; exit 1 ;;
esac
IMAGE=public.ecr.aws/lambda/python:$PYTHON-$ARCHITECTURE
WORK=${TRAILHOOK_CONTAINERS:-/var/tmp/trailhook-containers}
ENGINE=$WORK/dockerd.pid

give_up() { echo "$1" >&2; exit 1; }

if [ "${1:-}" = --stop ]; then
    [ ! -e "$ENGINE" ] || kill "$(cat "$ENGINE")" 2>/dev/null || true
    rm -f "$ENGINE"
    exit 0
fi

start_engine() {
    docker info >/dev/null 2>&1 && return
    [ "$(id -u)" = 0 ] || give_up "no Docker engine answers, and only root could start one"
    if ! command -v dockerd >/dev/null; then
        command -v apt-get >/dev/null || give_up "there is no Docker engine, and no apt-get to install one with"
        echo "Installing docker.io"
        timeout 60 apt-get update -qq >"$WORK/apt.log" 2>&1 || true
        DEBIAN_FRONTEND=noninteractive timeout 180 apt-get install -y -qq docker.io >>"$WORK/apt.log" 2>&1 \
            || give_up "docker.io could not be installed: see $WORK/apt.log"
    fi
    nohup dockerd >"$WORK/dockerd.log" 2>&1 </dev/null &
    echo $! >"$ENGINE"
    for _ in $(seq 60); do
        docker info >/dev/null 2>&1 && return
        kill -0 "$(cat "$ENGINE")" 2>/dev/null || break
        sleep 0.5
    done
    give_up "the Docker engine did not start: see $WORK/dockerd.log"
}

build_image() {
    [ "$(id -u)" = 0 ] || give_up "no container registry can be reached, and only root can build the image"
    if ! command -v debootstrap >/dev/null; then
        DEBIAN_FRONTEND=noninteractive timeout 120 apt-get install -y -qq debootstrap >>"$WORK/apt.log" 2>&1 \
            || give_up "debootstrap could not be installed: see $WORK/apt.log"
    fi
    context=$(mktemp -d "$WORK/context.XXXXXX")
    trap 'rm -rf "$context"' EXIT
    echo "Building $IMAGE from Debian's packages (once, about a minute)"
    timeout 240 debootstrap --variant=minbase --include=python3,ca-certificates "$RELEASE" "$context/root" \
        >"$WORK/debootstrap.log" 2>&1 || give_up "Debian could not be fetched: see $WORK/debootstrap.log"
    timeout 120 python3 -m pip install --quiet --target "$context/runtime" --only-binary=:all: --python-version "$PYTHON" \
        --platform "manylinux_2_28_$MACHINE" --platform "manylinux2014_$MACHINE" awslambdaric boto3 >"$WORK/pip.log" 2>&1 \
        || give_up "the runtime interface client could not be fetched: see $WORK/pip.log"
    # The layer comes before what the runtime brings along, as on Lambda.
    cat >"$context/runtime/bootstrap" <<SCRIPT
#!/bin/sh
cd /var/task
PYTHONPATH=/var/task:/opt/python:/opt/python/lib/python$PYTHON/site-packages:/var/runtime exec python3 -m awslambdaric "\$_HANDLER"
SCRIPT
    chmod 755 "$context/runtime/bootstrap"
    mkdir -p "$context/root/var/task" "$context/root/var/lang/bin"
    mv "$context/runtime" "$context/root/var/runtime"
    tar -C "$context/root" -c . | docker import \
        --change 'ENV LANG=C.UTF-8 PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin' \
        --change 'ENV LD_LIBRARY_PATH=/var/runtime:/var/task:/opt/lib LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime' \
        --change 'WORKDIR /var/task' --change 'ENTRYPOINT ["/var/runtime/bootstrap"]' \
        - "$IMAGE" >/dev/null || give_up "the image could not be made"
}

mkdir -p "$WORK"
start_engine
if ! docker image inspect "$IMAGE" >/dev/null 2>&1; then
    timeout 120 docker pull --quiet "$IMAGE" >/dev/null 2>&1 || build_image
fi
echo "$IMAGE is ready"
