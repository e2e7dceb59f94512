"""What a stack puts out."""

from stacks.load import parse_settings
from stacks.outputs.bgp import bgp
from stacks.outputs.dns import Record, dns_records, dns_zone
from stacks.outputs.hub import callback_url, hub_url
from stacks.outputs.ssh import known_hosts, ssh_config
from stacks.settings import Site
from tests.stacks.sites import changed, tree

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "B" * 43


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


def behind(jump: object, **access: object) -> Site:
    return parse_settings(changed(tree("dev"), {"access": {"jump": jump, **access}}))


def test_jump_of_the_site_goes_by_its_name_and_is_reached_directly() -> None:
    site = behind({"machine": "rooster", "host": "203.0.113.10", "port": 2222}, user="ada")
    blocks = dict(block.split("\n", 1) for block in ssh_config(site).split("\n\nHost ")[1:])
    assert "HostName 203.0.113.10\n  Port 2222\n  User ada\n" in ssh_config(site)
    assert sorted(blocks) == ["chick0", "chick1", "chick2", "hen"]
    assert all("ProxyJump rooster" in block and "User ada" in block for block in blocks.values())
    (line,) = [line for line in known_hosts(site).splitlines() if line.startswith("rooster")]
    assert line == f"rooster,198.18.0.2,[203.0.113.10]:2222 {site.hosts['rooster'].host_key}"


def test_jump_outside_the_site_has_a_login_of_its_own() -> None:
    site = behind({"host": "bastion.example.org", "user": "guest", "host_key": KEY})
    assert "Host bastion.example.org\n  HostName bastion.example.org\n  Port 22\n  User guest\n" in ssh_config(site)
    assert ssh_config(site).count("ProxyJump bastion.example.org\n") == len(site.hosts)
    assert f"bastion.example.org {KEY}\n" in known_hosts(site)


def test_machine_on_another_port_is_known_there() -> None:
    """ssh(1) looks a key up by address and port, where the port is not 22."""
    site = parse_settings(changed(tree("dev"), {"access": {"port": 2022}}))
    assert f"hen,[198.18.0.200]:2022 {site.hosts['hen'].host_key}\n" in known_hosts(site)


def test_router_peers_with_the_nodes_only() -> None:
    assert bgp(parse_settings(tree("dev"))) == {
        "as_number": 64512,
        "peers": ["198.18.0.100", "198.18.0.101", "198.18.0.102"],
        "prefixes": ["198.18.48.0/24"],
    }


def test_records_come_back_from_what_was_put_out() -> None:
    records = dns_records(parse_settings(tree("prod")), ["hub.flock.example.org"])
    assert [Record.of(record.as_data()) for record in records] == records


def test_identity_provider_is_told_the_address_below_the_hubs() -> None:
    site = parse_settings(tree("prod"))
    assert callback_url(site) == f"{hub_url(site)}/hub/oauth_callback" == f"https://{site.hub.host}/hub/oauth_callback"
