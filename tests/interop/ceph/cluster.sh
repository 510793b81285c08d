#!/bin/bash
# A whole Ceph cluster on this machine, for as long as somebody holds this script's standard input open: one monitor, one
# manager with the dashboard, one OSD in memory. Prints one line of JSON once it can be used, or why it cannot.
#
# cluster.sh DIR: DIR is made, holds everything, and is removed at the end. Nothing else is written anywhere, nothing
# listens but on 127.0.0.1, and no port is fixed.
#
# The end comes with the end of standard input, so that it also comes when a test is killed. Where this script itself is
# killed, the kernel ends the daemons (setpriv --pdeathsig).
set -euo pipefail
exec 2>&1

dir=$1
mkdir "$dir"
dir=$(cd "$dir" && pwd)
daemons=()

clean_up() {
    trap '' EXIT INT TERM HUP
    if ((${#daemons[@]})); then
        # Nothing in this cluster is worth an orderly end.
        kill -KILL "${daemons[@]}" 2>/dev/null || true
        wait "${daemons[@]}" 2>/dev/null || true
    fi
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

fail() {
    echo "cluster.sh: $1"
    tail -n 20 "$dir"/*.out || true
    exit 1
}

free_port() {
    /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Runs until it says yes, or the cluster is given up.
until_true() {
    local what=$1 deadline=$((SECONDS + 60))
    shift
    until "$@" >/dev/null 2>&1; do
        for pid in "${daemons[@]}"; do
            kill -0 "$pid" 2>/dev/null || fail "a daemon ended while waiting for: $what"
        done
        ((SECONDS < deadline)) || fail "no $what within 60 s"
        sleep 0.1
    done
}

start() {
    local name=$1
    shift
    setpriv --pdeathsig KILL "$@" >"$dir/$name.out" 2>&1 </dev/null &
    daemons+=($!)
}

fsid=$(cat /proc/sys/kernel/random/uuid)
monitor="127.0.0.1:$(free_port)"
web=$(free_port)
# Authentication between the daemons is off: they speak to each other on loopback only. The dashboard has it, and TLS.
# Modules of the manager that neither the dashboard nor RBD use are left out: they cost seconds.
cat >"$dir/ceph.conf" <<CONF
[global]
fsid = $fsid
mon host = [v2:$monitor]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = false
run dir = $dir
admin socket = $dir/\$name.asok
pid file =
log file =
mon cluster log file =
log to stderr = true
err to stderr = true
keyring = $dir/none
paxos propose interval = 0.02
paxos min wait = 0.01
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd crush update on start = true
osd objectstore = memstore
memstore device bytes = 4294967296
osd data = $dir/osd
mon data = $dir/mon
mgr data = $dir/mgr
mon max pg per osd = 10000
mon allow pool size one = true
mon allow pool delete = true
mon data avail warn = 1
mon data avail crit = 0
mgr initial modules = dashboard
mgr disabled modules = alerts,balancer,crash,devicehealth,influx,insights,iostat,localpool,mirroring,nfs,osd_perf_query,osd_support,pg_autoscaler,prometheus,restful,selftest,snap_schedule,stats,telegraf,telemetry,test_orchestrator,volumes,zabbix
CONF
export CEPH_CONF=$dir/ceph.conf CEPH_ARGS="--conf $dir/ceph.conf"
mkdir "$dir"/{mon,osd,mgr}

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$dir/key.pem" -out "$dir/certificate.pem" 2>/dev/null
thumbprint=$(openssl x509 -in "$dir/certificate.pem" -noout -fingerprint -sha256 | cut -d= -f2)
# For the login strata, which has no more rights than the driver's README asks for; and for one that only looks.
password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
(umask 077 && echo "Aa1-$password" >"$dir/password")

monmaptool --create --fsid "$fsid" --addv m "[v2:$monitor]" "$dir/monmap" >"$dir/monmap.out"
ceph-mon --mkfs -i m --monmap "$dir/monmap" >"$dir/mkfs-mon.out" 2>&1 || fail "the monitor's store cannot be made"
start mon ceph-mon -f -i m
until_true "monitor" ceph --connect-timeout 5 mon stat

ceph config set --force mgr mgr/dashboard/server_addr 127.0.0.1
ceph config set --force mgr mgr/dashboard/ssl_server_port "$web"
ceph config-key set mgr/dashboard/crt -i "$dir/certificate.pem" >/dev/null 2>&1
ceph config-key set mgr/dashboard/key -i "$dir/key.pem" >/dev/null 2>&1
start mgr ceph-mgr -f -i x
osd=$(cat /proc/sys/kernel/random/uuid)
ceph osd new "$osd" >/dev/null
ceph-osd -i 0 --mkfs --osd-uuid "$osd" >"$dir/mkfs-osd.out" 2>&1 || fail "the OSD's store cannot be made"
start osd ceph-osd -f -i 0

until_true "OSD" sh -c 'ceph osd stat | grep -q "1 up"'
until_true "dashboard" sh -c 'ceph mgr services | grep -q https://'
until_true "dashboard's commands" ceph dashboard ac-role-create strata
for right in "rbd-image create read update delete" "pool read" "monitor read"; do
    # shellcheck disable=SC2086
    ceph dashboard ac-role-add-scope-perms strata $right >/dev/null
done
ceph dashboard ac-user-create strata -i "$dir/password" strata >/dev/null
ceph dashboard ac-user-create looker -i "$dir/password" read-only >/dev/null

printf '{"url": "https://127.0.0.1:%s", "thumbprint": "%s", "password_file": "%s", "conf": "%s", "fsid": "%s"}\n' \
    "$web" "$thumbprint" "$dir/password" "$dir/ceph.conf" "$fsid"

exec >/dev/null 2>&1
# Until whoever started this lets go of it, or is gone. In the background, since a shell hears no signal while a command
# of its own runs in front.
exec 3<&0
cat <&3 >/dev/null &
wait $!
