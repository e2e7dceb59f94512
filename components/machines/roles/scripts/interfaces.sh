# What keeps systemd-networkd from having an interface: INTERFACES and DEVICES are what there is to be, CABLES what there
# is already, each in words with a blank behind each; ADDRESS is the machine's own; MTUS are NAME=BYTES.
live=/run/systemd/network
netif=/run/systemd/netif/links

# refusals: says why the interfaces cannot be configured as they are to be.
refusals() {
    local name other largest
    if ! systemctl is-active --quiet systemd-networkd.service; then
        echo "systemd-networkd does not run on this machine: systemctl enable --now systemd-networkd, once the interface with" \
            "$ADDRESS is in a file of its own (docs/network.md)"
        return
    fi
    for name in $CABLES; do
        if [[ ! -e /sys/class/net/$name ]]; then
            echo "interface $name does not exist: this machine has $(cd /sys/class/net && echo *)"
        fi
    done
    for name in $DEVICES; do
        if [[ -e /sys/class/net/$name && ! -e $live/04-henhouse-$name.netdev ]]; then
            echo "$name exists already, and henhouse did not make it: give it another name, or delete it and its files"
        fi
    done
    for name in $INTERFACES $CABLES; do
        while IFS= read -r other; do
            echo "$name is configured by $other: take it from there first, as docs/network.md says"
        done < <(other_owners "$name")
    done
    for name in $MTUS; do
        largest=$(largest_mtu "${name%=*}")
        if [[ -n $largest ]] && ((${name#*=} > largest)); then
            echo "${name%=*} takes no packets of more than $largest bytes, and its mtu is to be ${name#*=}"
        fi
    done
    if [[ -z $WAY_OUT ]]; then
        for name in $(default_routes); do
            if [[ " $INTERFACES $CABLES " == *" $name "* ]]; then
                echo "this machine's way out is on $name, and no interface of the settings has a gateway"
            fi
        done
    fi
}

# other_owners NAME: each on a line.
other_owners() {
    local file
    if [[ ! -e /sys/class/net/$1 ]]; then
        return
    fi
    foreign_owners "$1"
    file=$netif/$(<"/sys/class/net/$1/ifindex")
    if [[ -n $(ip -oneline -4 address show dev "$1") ]] && ! grep --quiet --no-messages '^NETWORK_FILE=' "$file"; then
        echo 'another program: it has addresses, and systemd-networkd has no file for it'
    fi
}

# default_routes: names the interfaces of those that were configured; a routing daemon's are its own.
default_routes() {
    ip -4 route show default | grep --invert-match ' proto \(bird\|bgp\|ospf\|zebra\) ' |
        sed --quiet 's/.* dev \([^ ]*\).*/\1/p' | sort --unique
}

# largest_mtu NAME: that of the device, where the kernel says it.
largest_mtu() {
    if [[ -e /sys/class/net/$1 ]]; then
        ip -details link show dev "$1" | sed --quiet 's/.* maxmtu \([0-9]*\).*/\1/p'
    fi
}

# differences: says which interface is not as its file has it.
differences() {
    local name file found
    for file in "$WANTED"/04-henhouse-* "$live"/04-henhouse-*; do
        if ! cmp --silent "$WANTED/${file##*/}" "$live/${file##*/}"; then
            echo "${file##*/04-henhouse-} is not in force"
        fi
    done
    for name in $INTERFACES $CABLES; do
        if [[ ! -e /sys/class/net/$name ]]; then
            echo "interface $name does not exist"
            continue
        fi
        found=$(sed --quiet 's/^NETWORK_FILE=//p' "$netif/$(<"/sys/class/net/$name/ifindex")" 2>/dev/null) || true
        if [[ $found != "$live/04-henhouse-$name.network" ]]; then
            echo "$name is configured by ${found:-no file}"
        fi
    done
    for name in $MTUS; do
        read -r found <"/sys/class/net/${name%=*}/mtu" 2>/dev/null || found=none
        if [[ $found != "${name#*=}" ]]; then
            echo "${name%=*} has the mtu $found"
        fi
    done
    for name in $HAVE; do
        if [[ -z $(ip -oneline -4 address show dev "${name%=*}" to "${name#*=}" 2>/dev/null) ]]; then
            echo "${name%=*} does not have ${name#*=}"
        fi
    done
}

# silent_gateway: names the gateway when it does not answer who it is (ARP): a wrong digit leaves no way out.
silent_gateway() {
    local gateway
    for gateway in $WAY_OUT; do
        echo >"/dev/udp/$gateway/9" 2>/dev/null || true
        if [[ $(ip -4 neighbour show "$gateway") != *' lladdr '* ]]; then
            echo "the gateway $gateway does not answer"
        fi
    done
}
