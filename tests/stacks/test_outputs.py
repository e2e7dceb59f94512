"""What a stack puts out."""

from stacks.load import parse_settings
from stacks.outputs.bgp import bgp
from stacks.outputs.dns import dns_records, dns_zone
from stacks.outputs.ssh import known_hosts, ssh_config
from tests.stacks.sites import changed, tree


def test_records_carry_the_public_addresses() -> None:
    records = dns_records(parse_settings(tree("prod")), ["hub.flock.example.org"])
    assert [record.as_data() for record in records] == [
        {"name": "hub.flock.example.org.", "type": "A", "ttl": 3600, "values": ["203.0.113.10"]}
    ]


def test_records_fall_back_to_the_gateway() -> None:
    (record,) = dns_records(parse_settings(tree("dev")), ["hub.henhouse.localhost"])
    assert record.values == ("198.18.0.2",)


def test_addresses_are_sorted_as_addresses() -> None:
    addresses = {"edge": {"public_addresses": ["203.0.113.10", "203.0.113.9"]}}
    (record,) = dns_records(parse_settings(changed(tree("prod"), addresses)), ["hub.flock.example.org"])
    assert record.values == ("203.0.113.9", "203.0.113.10")


def test_zone_is_in_master_file_format() -> None:
    records = dns_records(parse_settings(tree("prod")), ["hub.flock.example.org", "binder.flock.example.org"])
    assert dns_zone(records) == (
        "binder.flock.example.org. 3600 IN A 203.0.113.10\nhub.flock.example.org. 3600 IN A 203.0.113.10\n"
    )


def test_every_machine_is_in_the_ssh_configuration() -> None:
    site = parse_settings(tree("prod"))
    config, hosts = ssh_config(site), known_hosts(site)
    for name, host in site.hosts.items():
        assert f"Host {name}\n  HostName {host.address}\n" in config
        assert f"{name},{host.address} {host.host_key}\n" in hosts


def test_router_peers_with_the_nodes_only() -> None:
    assert bgp(parse_settings(tree("dev"))) == {
        "as_number": 64512,
        "peers": ["198.18.0.100", "198.18.0.101", "198.18.0.102"],
        "prefixes": ["198.18.48.0/24"],
    }
