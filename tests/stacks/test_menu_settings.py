"""What a site may write of sizes, profiles and the menu of images, and what is refused."""

from typing import Any, Final

import pytest

from components.kube import pods
from programs.hub.menu import image_menu, oci_registry
from stacks.load import parse_settings
from stacks.problems import SettingsError, secret_settings
from stacks.registry import tag_source
from stacks.settings import Site
from stacks.settings.hosts import PURPOSE_LABEL
from tests.certificates import Authority
from tests.stacks.sites import changed, tree

LAB: Final = {"repository": "quay.io/team/lab"}
ACCOUNT: Final = {"user": "grace", "password": "T0P-S3CRET"}
OPEN: Final = {"mirrors": {"registry": None}}
SIZE: Final = {"name": "one", "cpu_limit": 1, "mem_limit": "1Gi"}
GPU: Final = {"slug": "gpu", "display_name": "GPU"}


def with_menu(**menu: object) -> dict[str, Any]:
    """Return a site that reaches the registry, with a menu."""
    return {**OPEN, "hub": {"image_menu": {**LAB, **menu}}}


A_DIGEST: Final = "sha256:" + "0a" * 32


def removing(*images: str) -> dict[str, Any]:
    return {"hub": {"images_to_remove": [*images]}}


def with_override(**override: object) -> dict[str, Any]:
    """Return a site with a profile."""
    return {"hub": {"profile_list": [{**GPU, "kubespawner_override": override}]}}


REJECTED: Final[list[tuple[str, dict[str, Any], str]]] = [
    ("a word for other sizes", {"hub": {"sizes": "tripling"}}, "hub.sizes: 'tripling': "),
    *(
        (f"an empty list of groups of {setting}", {"hub": {setting: offers}}, f"hub.{setting}.1.allowed_groups: []")
        for setting, offers in (
            ("sizes", [SIZE, {**SIZE, "name": "two", "allowed_groups": []}]),
            ("profile_list", [GPU, {"display_name": "R", "allowed_groups": []}]),
        )
    ),
    *(
        (f"a name like {name!a}", {"hub": {"profile_list": [{**GPU, "display_name": name}]}}, f"display_name: {why}")
        for name, why in (
            *((blank, f"{blank!r}: must have something that people see") for blank in (" ", "\xa0", "\u200b \u2060")),
            *((f"a{sign}b", f"{f'a{sign}b'!r}: cannot be used") for sign in ("\u2028", "\x85", "\u202e", "\n")),
        )
    ),
    ("a registry that is nowhere", with_menu(networks=[]), "hub.image_menu.networks: []: is too short"),
    ("a description of nothing", {"hub": {"sizes": [{**SIZE, "description": " "}]}}, "must have something that people"),
    *(
        (f"a kind of server for {value}", with_override(node_selector={label: value}), f"{label}: {value}: no machine")
        for label, value in (
            ("hub.jupyter.org/node-purpose", "core"),
            ("kubernetes.io/hostname", "hen"),
            ("kubernetes.io/hostname", "chick9"),
        )
    ),
    (
        "an image of the edge's to remove",
        {**removing("docker.io/library/nginx:1"), "edge": {"image": "docker.io/library/nginx:1"}},
        "docker.io/library/nginx:1 is what edge.image names",
    ),
    *(
        (
            f"a password of {password!r}",
            with_menu(user="grace", password=password),
            "hub.image_menu.password: must be a",
        )
        for password in ("", "T0P-S3CRET\n", " T0P-S3CRET")
    ),
    (
        "a page with a variable in its address",
        with_override(default_url="/lab/tree/$(HOME)"),
        "kubespawner_override.default_url: '/lab/tree/$(HOME)': must have %24 for each $",
    ),
    ("a size without a limit", {"hub": {"sizes": [{"name": "one"}]}}, "hub.sizes.0.cpu_limit: is required"),
    ("a size without cores", {"hub": {"sizes": [{**SIZE, "cpu_limit": 0}]}}, "hub.sizes.0.cpu_limit: 0: "),
    ("a size in decimal units", {"hub": {"sizes": [{**SIZE, "mem_limit": "1G"}]}}, "hub.sizes.0.mem_limit: '1G'"),
    (
        "a misspelt setting of a size",
        {"hub": {"sizes": [{**SIZE, "cpu": 1}]}},
        "accepted: allowed_groups, cpu_guarantee",
    ),
    (
        "more cores reserved than allowed",
        {"hub": {"sizes": [{**SIZE, "cpu_guarantee": 2}]}},
        "2.0 is more than cpu_limit",
    ),
    (
        "more memory reserved than allowed",
        {"hub": {"sizes": [{**SIZE, "mem_guarantee": "2Gi"}]}},
        "hub.sizes.0.mem_guarantee: 2Gi is more than mem_limit, 1Gi",
    ),
    ("a size with nothing reserved", {"hub": {"sizes": [{**SIZE, "cpu_guarantee": 0}]}}, "must be 0.001 or more"),
    ("a size beyond counting", {"hub": {"sizes": [{**SIZE, "mem_limit": "9" * 19 + "Ti"}]}}, "must be less than"),
    ("a size of many digits", {"hub": {"sizes": [{**SIZE, "mem_limit": "1" * 5000 + "Gi"}]}}, "hub.sizes.0.mem_limit"),
    ("a size of no machine", {"hub": {"sizes": [{**SIZE, "mem_limit": "99Ti"}]}}, "no machine has so much memory"),
    ("two sizes of one name", {"hub": {"sizes": [SIZE, SIZE]}}, "hub.sizes.1.name: one is also hub.sizes.0's"),
    (
        "two default sizes",
        {"hub": {"sizes": [{**SIZE, "default": True}, {**SIZE, "name": "two", "default": True}]}},
        "hub.sizes.1.default: hub.sizes.0 is the default already",
    ),
    (
        "sizes for some alone",
        {"hub": {"sizes": [{**SIZE, "allowed_groups": ["a"]}]}},
        "hub.sizes: each is for some groups",
    ),
    *(
        (f"a size called {name!r}", {"hub": {"sizes": [{**SIZE, "name": name}]}}, "hub.sizes.0.name: ")
        for name in ("", "Large", "1st", "a b", "a\nb", '"><script>', "x" * 32, "a--b\n")
    ),
    ("a name in two lines", {"hub": {"sizes": [{**SIZE, "display_name": "a\nb"}]}}, "hub.sizes.0.display_name: "),
    (
        "profiles for some alone",
        {"hub": {"profile_list": [{**GPU, "allowed_groups": ["a"]}]}},
        "hub.profile_list: each is for some groups: everyone else could start no server",
    ),
    ("two profiles of one slug", {"hub": {"profile_list": [GPU, GPU]}}, "hub.profile_list.1.slug: gpu is also"),
    (
        "a profile of whose name no slug can be made",
        {"hub": {"profile_list": [{"display_name": "数据 7"}]}},
        "hub.profile_list.0: give a slug, such as gpu-large: none can be made of display_name",
    ),
    *(
        (
            f"a profile that sets {name}",
            with_override(**{name: value}),
            f"hub.profile_list.0.kubespawner_override.{name}: is not a setting",
        )
        for name, value in {
            "privileged": True,
            "allow_privilege_escalation": True,
            "container_security_context": {"privileged": True},
            "pod_security_context": {"runAsUser": 0},
            "extra_pod_config": {"hostNetwork": True},
            "extra_container_config": {"securityContext": {"privileged": True}},
            "uid": 0,
            "gid": 0,
            "fs_gid": 0,
            "supplemental_gids": [0],
            "namespace": "kube-system",
            "service_account": "hub",
            "automount_service_account_token": True,
            "volumes": [{"name": "root", "hostPath": {"path": "/"}}],
            "volume_mounts": [{"name": "home", "mountPath": "/x", "subPath": ".."}],
            "working_dir": "/",
            "extra_annotations": {"henhouse.internal/passwd": "root"},
            "init_containers": [],
            "extra_containers": [],
            "pre_spawn_hook": "x",
            "modify_pod_hook": "x",
            "cmd": "sh",
            "image_spec": "x",
            "not_a_trait": 1,
        }.items()
    ),
    ("a home elsewhere", with_override(environment={"HOME": "/"}), "must not set HOME, which is set for every server"),
    (
        "another hub",
        with_override(environment={"JUPYTERHUB_API_URL": "x"}),
        "must not set JUPYTERHUB_API_URL",
    ),
    ("a page of a word", with_override(default_url="/lab/{servername}"), "may stand in them is username"),
    ("a taint that is none", with_override(tolerations=[{"key": "a b"}]), "has the key 'a b'"),
    ("a taint's value", with_override(tolerations=[{"key": "a", "value": "c d!"}]), "has the value 'c d!'"),
    (
        "seconds beyond counting",
        with_override(tolerations=[{"key": "a", "effect": "NoExecute", "tolerationSeconds": 10**30}]),
        "tolerationSeconds that Kubernetes can count",
    ),
    (
        "more scratch reserved than allowed",
        with_override(
            extra_resource_guarantees={"ephemeral-storage": "2Gi"}, extra_resource_limits={"ephemeral-storage": "1Gi"}
        ),
        "2Gi is reserved, and the limit is 1Gi",
    ),
    (
        "huge pages reserved alone",
        with_override(extra_resource_guarantees={"hugepages-2Mi": "2Mi"}),
        "the limit is not given",
    ),
    ("huge pages of no size", with_override(extra_resource_limits={"hugepages-x": 1}), "has hugepages-x"),
    (
        "a device of Kubernetes' own",
        with_override(extra_resource_limits={"kubernetes.io/gpu": 1}),
        "that domain is Kubernetes' own",
    ),
    ("a label with two dots", with_override(node_selector={"a..b/x": "1"}), ".node_selector.a..b/x"),
    ("a class with two dots", with_override(priority_class_name="a..b"), ".priority_class_name"),
    ("a null byte", with_override(environment={"A": "a\0b"}), "must not hold a null byte in A"),
    ("another PATH", with_override(environment={"PATH": "/x"}), ".environment.PATH: is the user server's own variable"),
    ("no variable", with_override(environment={"A B": "x"}), ".environment.A B"),
    ("a page elsewhere", with_override(default_url="https://example.org"), ".default_url: "),
    ("a label that is none", with_override(node_selector={"a b": "c"}), ".node_selector.a b"),
    *(
        ("a resource that no node has", with_override(extra_resource_limits={name: amount}), says)
        for name, amount, says in (
            ("nvidia.com/gpu", 0.5, "must have a whole number of nvidia.com/gpu, and was given 0.5"),
            ("nvidia.com/gpu", "500m", "must have a whole number of nvidia.com/gpu"),
            ("gpu", 1, "has gpu: a device has its maker's domain before it, such as nvidia.com/gpu"),
            ("ephemeral-storage", "5GB", "must be an amount"),
        )
    ),
    *(
        ("a toleration of nothing", with_override(tolerations=[toleration]), says)
        for toleration, says in (
            ({"key": "gpu", "operator": "exists"}, "must have Equal or Exists as operator"),
            ({"key": "gpu", "effect": "noschedule"}, "NoSchedule, PreferNoSchedule, NoExecute"),
            ({"key": "gpu", "operator": "Exists", "value": "x"}, "must have no value beside the operator Exists"),
            ({"effect": "NoSchedule"}, "must have a key"),
            ({"key": "gpu", "effect": "NoSchedule", "tolerationSeconds": 5}, "must have the effect NoExecute"),
            ({"key": "gpu", "tolerationSeconds": 5}, "must have the effect NoExecute"),
        )
    ),
    (
        "a page that is not filled in",
        with_override(default_url="/lab/tree/{course}"),
        "'/lab/tree/{course}': has braces",
    ),
    *(
        (
            "a text without quotes",
            with_override(**{name: {"x": value}}),
            f".{name}.x: {said}: cannot be used here\n    accepted: {accepted}",
        )
        for name, value, said, accepted in (
            ("environment", 1, "1", "text, in quotes"),
            ("node_selector", True, "true", "a label's value"),
        )
    ),
    ("a variable in double braces", with_override(environment={"A": '{{"x": 1}}'}), "must have single braces in A"),
    ("an amount that is none", with_override(extra_resource_limits={"nvidia.com/gpu": "many"}), "nvidia.com/gpu"),
    ("an image without a tag", with_override(image="quay.io/a/b"), ".image: 'quay.io/a/b': must have a tag"),
    (
        "an image that the site's registry has not",
        with_override(image="ghcr.io/a/b:1"),
        "hub.profile_list.0.kubespawner_override.image: ghcr.io/a/b:1 is from ghcr.io",
    ),
    (
        "more reserved than the size of everyone allows",
        with_override(mem_guarantee="64Gi"),
        "hub.profile_list.0.kubespawner_override.mem_guarantee: 64Gi is more than mem_limit, 1Gi",
    ),
    (
        "less allowed than the size of everyone reserves",
        with_override(mem_limit="64Mi"),
        "hub.profile_list.0.kubespawner_override.mem_guarantee: 128Mi is more than mem_limit, 64Mi",
    ),
    ("a menu of nothing", {"hub": {"image_menu": {}}}, "hub.image_menu.repository: is required"),
    *(
        (f"a repository {name!r}", with_menu(repository=name), f"hub.image_menu.repository: {name!r}: must ")
        for name in (
            "lab",
            "team/lab",
            "quay.io",
            "quay.io/",
            "quay.io/team/lab:1",
            "quay.io/team/lab@sha256:" + "0a" * 32,
            "https://quay.io/team/lab",
            "quay.io/team/../lab",
            "quay.io/Team/lab",
            "quay.io/team/lab?n=1",
            "quay.io/team/lab\n",
            "grace@quay.io/team/lab",
        )
    ),
    (
        "a repository that the site's registry has not",
        {"hub": {"image_menu": {"repository": "ghcr.io/team/lab"}}},
        "hub.image_menu.repository: ghcr.io/team/lab is from ghcr.io, which is not one of mirrors.registry_hosts",
    ),
    (
        "a menu that nothing is in",
        with_menu(releases=0, weeklies=0, dailies=0, recommended=None),
        "hub.image_menu: every count is 0",
    ),
    ("less than nothing", with_menu(dailies=-1), "hub.image_menu.dailies: -1"),
    ("a menu as long as an arm", with_menu(weeklies=21), "hub.image_menu.weeklies: 21"),
    ("no tag", with_menu(recommended="a b"), "hub.image_menu.recommended: "),
    ("two tags", with_menu(recommended="a\n"), "hub.image_menu.recommended: "),
    ("a registry asked without a pause", with_menu(refresh_seconds=1), "hub.image_menu.refresh_seconds: 1"),
    ("a user without a password", with_menu(user="grace"), "hub.image_menu.password: is required where"),
    ("a password without a user", with_menu(password="T0P-S3CRET"), "hub.image_menu.user: is required where"),
    ("a user with a colon", with_menu(user="gra:ce", password="x"), "hub.image_menu.user: "),
    (
        "a password in plain",
        {"hub": {"image_menu": {**LAB, **ACCOUNT}}},
        "hub.image_menu.password: would go in plain to http://198.18.0.1:5000, which stands in for quay.io",
    ),
    ("no certificate", with_menu(certificate_authority="PEM"), "hub.image_menu.certificate_authority: "),
    (
        "a certificate that is broken",
        with_menu(certificate_authority="-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"),
        "must be whole certificates in PEM",
    ),
    ("a network that is none", with_menu(networks=["registry.example.org"]), "hub.image_menu.networks.0: "),
    ("a hook with an image", {"hub": {"prePuller": {"hook": {"image": {}}}}}, "accepted: enabled"),
    ("a pull in no words", {"hub": {"prePuller": {"continuous": {"enabled": "sometimes"}}}}, "continuous.enabled"),
    (
        "an extra image without a tag",
        {**OPEN, "hub": {"prePuller": {"extraImages": {"course": {"name": "quay.io/team/course"}}}}},
        "hub.prePuller.extraImages.course.tag: is required",
    ),
    (
        "an extra image with two",
        {**OPEN, "hub": {"prePuller": {"extraImages": {"course": {"name": "quay.io/team/course:1", "tag": "2"}}}}},
        "must have no tag and no digest",
    ),
    (
        "an extra image that the site's registry has not",
        {"hub": {"prePuller": {"extraImages": {"course": {"name": "ghcr.io/team/course", "tag": "1"}}}}},
        "hub.prePuller.extraImages.course.name: ghcr.io/team/course:1 is from ghcr.io",
    ),
    (
        "an image to be removed that servers start with",
        {"hub": {"images_to_remove": [tree("dev")["hub"]["server_image"]]}},
        "hub.images_to_remove.0: quay.io/jupyter/base-notebook:2026-10-05 is what hub.server_image names",
    ),
    (
        "an image to be removed that a profile has, by its digest",
        changed(with_override(image=f"quay.io/team/r:4.5@{A_DIGEST}"), removing(f"quay.io/team/r:4@{A_DIGEST}")),
        "is what hub.profile_list.0.kubespawner_override.image names",
    ),
    (
        "an image to be removed that nodes pull",
        {
            **OPEN,
            "hub": {
                "prePuller": {"extraImages": {"course": {"name": "quay.io/team/course", "tag": "2026"}}},
                "images_to_remove": ["quay.io/team/lab:1", "quay.io/team/course:2026"],
            },
        },
        "hub.images_to_remove.1: quay.io/team/course:2026 is what hub.prePuller.extraImages.course names",
    ),
    (
        "an image to be removed that servers start with, by one of its names",
        changed(removing("quay.io/team/lab:1"), {"hub": {"server_image": f"quay.io/team/lab:1@{A_DIGEST}"}}),
        "is what hub.server_image names",
    ),
    (
        "an image of the menu to be removed, by its tag alone",
        changed(with_menu(), removing(f"{LAB['repository']}:w202640")),
        "machines know images of hub.image_menu by their digests alone",
    ),
    (
        "an image of the menu to be removed, by its tag alone, where the menu is Docker Hub's",
        changed(changed(OPEN, with_menu(repository="docker.io/lab")), removing("docker.io/library/lab:w202640")),
        "machines know images of hub.image_menu by their digests alone",
    ),
    (
        "an image to be removed twice",
        removing("quay.io/team/lab:1", "quay.io/team/lab:1"),
        "hub.images_to_remove.1: quay.io/team/lab:1 is there twice",
    ),
    ("an image to be removed without a tag", removing("quay.io/team/lab"), "must have a tag or a digest"),
    ("a token host that is none", with_menu(token_hosts=["https://x.example.org"]), "hub.image_menu.token_hosts.0: "),
]
ACCEPTED: Final[list[dict[str, Any]]] = [
    {"hub": {"sizes": "doubling"}},
    {"hub": {"prePuller": {}}},
    {"hub": {"prePuller": {"hook": {"enabled": False}}}},
    {"hub": {"prePuller": {"continuous": {"enabled": False}, "pullProfileListImages": False}}},
    {**OPEN, "hub": {"prePuller": {"extraImages": {"course": {"name": "quay.io/team/course", "tag": "2026"}}}}},
    {"hub": {"sizes": []}},
    {"hub": {"sizes": [SIZE, {**SIZE, "name": "two", "allowed_groups": ["staff of physics"], "default": True}]}},
    {"hub": {"sizes": [{**SIZE, "default": True}, {**SIZE, "name": "b", "default": True, "allowed_groups": ["x"]}]}},
    {"hub": {"profile_list": [GPU, {"slug": "rstudio", "display_name": "R & RStudio <3>", "description": "R 4.5"}]}},
    with_override(
        image="quay.io/jupyter/r-notebook:2026-10-05",
        cpu_limit=8,
        mem_limit="32Gi",
        extra_resource_limits={"nvidia.com/gpu": 1},
        environment={"OMP_NUM_THREADS": "4"},
        node_selector={"example.org/gpu": "yes"},
        tolerations=[{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
        default_url="/rstudio",
        start_timeout=900,
    ),
    with_override(default_url="/lab/tree/a$b"),
    {"hub": {"image_menu": LAB}},
    removing("quay.io/team/lab:1", f"quay.io/team/lab:1@{A_DIGEST}", "quay.io/jupyter/base-notebook:2020-01-01"),
    {"hub": {"image_menu": {"repository": "198.18.0.1:5000/team/lab"}}},
    with_menu(repository="ghcr.io/team/lab", **ACCOUNT, token_hosts=["auth.example.org"]),
    with_menu(networks=["192.0.2.0/28"], certificate_authority=Authority().pem),
    with_menu(releases=0, weeklies=0, dailies=0, plain=5, recommended=None),
    with_menu(releases=0, weeklies=0, dailies=0, experimentals=2, recommended=None),
    with_override(node_selector={"kubernetes.io/hostname": "chick2", "hub.jupyter.org/node-purpose": "user"}),
    {"hub": {"profile_list": [{**GPU, "display_name": "العربية 🐔"}]}},
]


@pytest.mark.parametrize(("changes", "message"), [row[1:] for row in REJECTED], ids=[row[0] for row in REJECTED])
def test_mistake_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), changes))
    assert message in str(refused.value)
    assert "T0P-S3CRET" not in str(refused.value)


@pytest.mark.parametrize("changes", ACCEPTED, ids=range(len(ACCEPTED)))
def test_what_a_site_may_write_is_accepted(changes: dict[str, Any]) -> None:
    parse_settings(changed(tree("dev"), changes))


def site(**changes: object) -> Site:
    return parse_settings(changed(tree("dev"), changes))


def test_four_sizes_double_and_reserve_a_quarter() -> None:
    sizes = site(hub={"sizes": "doubling"}).hub.sizes
    assert [(size.name, size.cpu_limit, size.mem_limit) for size in sizes] == [
        ("tiny", 0.5, "1Gi"),
        ("small", 1, "2Gi"),
        ("medium", 2, "4Gi"),
        ("large", 4, "8Gi"),
    ]
    assert [(size.cpu_reserved, size.mem_reserved) for size in sizes] == [
        (0.125, "262144Ki"),
        (0.25, "524288Ki"),
        (0.5, "1048576Ki"),
        (1, "2097152Ki"),
    ]
    assert [size.name for size in sizes if size.default] == ["small"]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_committed_stacks_ask_nothing(stack: str) -> None:
    assert not parse_settings(tree(stack)).hub.asks


def test_password_of_the_registry_is_a_secret() -> None:
    assert "hub.image_menu.password" in secret_settings()
    assert "T0P-S3CRET" not in repr(parse_settings(changed(tree("dev"), with_menu(**ACCOUNT))))


@pytest.mark.parametrize(
    ("repository", "mirrors", "url", "path", "ports", "networks"),
    [
        ("quay.io/team/lab", {}, "http://198.18.0.1:5000", "quay.io/team/lab", (5000,), ["198.18.0.1/32"]),
        ("198.18.0.1:5000/team/lab", {}, "http://198.18.0.1:5000", "team/lab", (5000,), ["198.18.0.1/32"]),
        ("quay.io/team/lab", {"registry": None}, "https://quay.io", "team/lab", (443,), []),
        ("ghcr.io:8443/team/lab", {"registry": None}, "https://ghcr.io:8443", "team/lab", (8443,), []),
        ("192.0.2.7:5000/lab", {"registry": None}, "https://192.0.2.7:5000", "lab", (5000,), ["192.0.2.7/32"]),
        ("docker.io/team/lab", {"registry": None}, "https://registry-1.docker.io", "team/lab", (443,), []),
        ("docker.io/lab", {"registry": None}, "https://registry-1.docker.io", "library/lab", (443,), []),
        ("docker.io/lab", {}, "http://198.18.0.1:5000", "docker.io/library/lab", (5000,), ["198.18.0.1/32"]),
        (
            "quay.io/team/lab",
            {"registry": "https://r.example.org/"},
            "https://r.example.org",
            "quay.io/team/lab",
            (443,),
            [],
        ),
    ],
)
def test_tags_are_read_where_nodes_pull(
    repository: str, mirrors: dict[str, Any], url: str, path: str, ports: tuple[int, ...], networks: list[str]
) -> None:
    of = site(mirrors=mirrors, hub={"image_menu": {"repository": repository}})
    assert of.hub.image_menu
    source = tag_source(of, of.hub.image_menu)
    assert (source.url, source.path, source.ports) == (url, path, ports)
    assert [str(each) for each in source.networks] == networks


def test_docker_hub_gives_its_tokens_elsewhere() -> None:
    of = site(**OPEN, hub={"image_menu": {"repository": "docker.io/team/lab"}})
    assert of.hub.image_menu
    assert tag_source(of, of.hub.image_menu).token_hosts == ("auth.docker.io",)


def test_settings_know_the_label_of_machines_for_people() -> None:
    """The room of Kubernetes' objects imports no settings."""
    assert PURPOSE_LABEL == pods.PURPOSE_LABEL


def test_both_programs_of_the_menu_mean_the_same_by_a_tag_and_a_digest() -> None:
    """They are shipped as files beside one another, and neither needs the other."""
    assert image_menu.TAG.pattern == oci_registry.TAG.pattern
    assert image_menu.DIGEST.pattern == oci_registry.DIGEST.pattern


def test_profile_without_a_slug_gets_one_of_its_name() -> None:
    names = ["A GPU, please!", "Learning  Data Science with a very long name", "2 große GPUs"]
    of = parse_settings(changed(tree("dev"), {"hub": {"profile_list": [{"display_name": name} for name in names]}}))
    assert [each.slug for each in of.hub.profile_list] == [
        "a-gpu-please",
        "learning-data-science-with-a-ve",
        "grosse-gpus",
    ]
