"""What a site may add to its hub and to user servers, and what would break either."""

from typing import Any, Final

import pytest

from stacks.checks.added import SCOPES, is_scope
from stacks.load import parse_settings
from stacks.problems import SettingsError
from stacks.settings import Site
from tests.stacks.sites import changed, tree

SPOOL: Final = [{"name": "spool", "emptyDir": {}}]
SECRET: Final = "T0P-S3CRET"


def parsed(hub: dict[str, Any]) -> Site:
    return parse_settings(changed(tree("dev"), {"hub": hub}))


def mounted(path: str, name: str = "spool", **more: object) -> dict[str, Any]:
    return {"extraVolumes": SPOOL, "extraVolumeMounts": [{"name": name, "mountPath": path, **more}]}


def in_servers(**settings: object) -> dict[str, Any]:
    return {"singleuser": settings}


def file(path: str = "/srv/x.txt", **content: object) -> dict[str, Any]:
    return {"extraFiles": {"x": {"mountPath": path, **(content or {"stringData": "x"})}}}


def profile(**override: object) -> dict[str, Any]:
    return {"display_name": "A", "kubespawner_override": override}


REFUSED: Final[list[tuple[dict[str, Any], str]]] = [
    *(({"extraEnv": {name: "x"}}, f"hub.extraEnv.{name}: is the hub's own") for name in ("HOME", "PATH", "PYTHONPATH")),
    *(
        ({"extraEnv": {name: "x"}}, f"hub.extraEnv.{name}: is the hub's own variable")
        for name in ("JUPYTERHUB_CRYPT_KEY", "CONFIGPROXY_AUTH_TOKEN", "KUBERNETES_SERVICE_HOST", "LD_PRELOAD")
    ),
    *(
        (in_servers(extraEnv={name: "x"}), f"hub.singleuser.extraEnv.{name}: is the user server's own variable")
        for name in ("JUPYTERHUB_API_TOKEN", "HOME", "USER", "LOGNAME", "PATH", "MEM_LIMIT", "JPY_API_TOKEN")
    ),
    *(({"extraEnv": {name: "x"}}, "hub.extraEnv") for name in ("A-B", "1A", "", "A B", "A=B", "A\n", "É")),
    ({"extraEnv": {"A": "x\0y"}}, "hub.extraEnv.A: must not hold a null byte"),
    ({"extraEnv": {"A": {"valueFrom": {}}}}, "hub.extraEnv.A: "),
    *(
        (mounted(path), "hub.extraVolumeMounts.0.mountPath")
        for path in (
            *("/", "/etc", "/etc/jupyterhub", "/etc/jupyterhub/70-site.py", "/etc/jupyterhub-secrets", "/srv"),
            *("/srv/jupyterhub", "/srv/jupyterhub/x", "/tmp", "/usr", "/proc", "/proc/1", "/sys", "/var", "/run"),
            *("/var/run/secrets", "/run/secrets/kubernetes.io", "relative", "/a/../etc", "/a//b", "/a/", "//a", "/a:b"),
        )
    ),
    *(
        (in_servers(storage=mounted(path)), "hub.singleuser.storage.extraVolumeMounts.0.mountPath")
        for path in ("/", "/home", "/home/jovyan", "/home/jovyan/shared", "/etc", "/etc/passwd", "/opt", "/tmp", "/dev")
    ),
    *(
        (in_servers(**file(path)), "hub.singleuser.extraFiles.x.mountPath")
        for path in ("/home/jovyan/.bashrc", "/etc/passwd", "/etc/group", "/home/jovyan", "/")
    ),
    (file("/etc/jupyterhub/10-hub.py"), "hub.extraFiles.x.mountPath: /etc/jupyterhub/10-hub.py is in /etc/jupyterhub"),
    (mounted("/srv/x", "other"), "hub.extraVolumeMounts.0.name: other is none of the volumes"),
    (mounted("/srv/x", subPath="../y"), "hub.extraVolumeMounts.0.subPath"),
    (mounted("/srv/x", subPath="/y"), "hub.extraVolumeMounts.0.subPath"),
    (mounted("/srv/x", mountPropagation="Bidirectional"), "mountPropagation: is not a setting"),
    ({**mounted("/srv/x"), **file("/srv/x")}, "hub.extraFiles.x.mountPath: /srv/x is also hub.extraVolumeMounts.0"),
    ({"extraVolumes": [*SPOOL, *SPOOL]}, "hub.extraVolumes.1.name: spool is named twice"),
    *(
        ({"extraVolumes": [{"name": name, "emptyDir": {}}]}, f"{name} is henhouse's own volume")
        for name in ("config", "keys", "database", "tmp")
    ),
    *(
        (in_servers(storage={"extraVolumes": [{"name": name, "emptyDir": {}}]}), f"{name} is henhouse's own volume")
        for name in ("home", "identity", "files", "person")
    ),
    (
        {"extraVolumes": [{"name": "x", "persistentVolumeClaim": {"claimName": "hub-database"}}]},
        "hub.extraVolumes.0.persistentVolumeClaim.claimName: hub-database is henhouse's own",
    ),
    *(
        (
            in_servers(storage={"extraVolumes": [{"name": "x", kind: {key: name}}]}),
            f"hub.singleuser.storage.extraVolumes.0.{kind}.{key}: {name} is henhouse's own",
        )
        for kind, key, name in (
            ("persistentVolumeClaim", "claimName", "homes"),
            ("secret", "secretName", "image-pull-secret"),
            ("secret", "secretName", "server-files"),
        )
    ),
    ({"extraVolumes": [{"name": "x"}]}, "give exactly one of persistentVolumeClaim"),
    ({"extraVolumes": [{"name": "x", "emptyDir": {}, "secret": {"secretName": "x"}}]}, "give exactly one of"),
    ({"extraVolumes": [{"name": "x", "hostPath": {"path": "/"}}]}, "hub.extraVolumes.0.hostPath: is not a setting"),
    ({"extraVolumes": [{"name": "X", "emptyDir": {}}]}, "hub.extraVolumes.0.name"),
    (file(stringData="x", data={}), "hub.extraFiles.x: give exactly one of data, stringData and binaryData"),
    (file(mode=0o644), "give exactly one of data, stringData and binaryData"),
    (file("/srv/x.toml", data={"a": 1}), "data is for files that end in .json, .yaml, .yml"),
    (file(binaryData="not base64!"), "binaryData is not base64"),
    (file(stringData="x", mode=0o600), "mode 0600 hides the file from everyone but root"),
    (file(stringData="x", mode=0o1777), "hub.extraFiles.x.mode"),
    *(
        (file(stringData="x", mode=mode), "in octal, with a leading 0")
        for mode in (444, 644, "0644", "644", True, 0o647)
    ),
    *(
        (file(path), f"hub.extraFiles.x.mountPath: {path} is a directory, and no file can take its place")
        for path in ("/usr", "/usr/local", "/opt", "/tmp", "/bin", "/usr/bin")
    ),
    (in_servers(**file("/dev/x")), "hub.singleuser.extraFiles.x.mountPath: /dev/x is the kernel's"),
    (
        file("/usr/local/etc/jupyterhub/jupyterhub_config.d/my.py"),
        "would be read in Zero to JupyterHub's hub, and is not",
    ),
    (
        {**mounted("/srv/x/y"), **file("/srv/x")},
        "hub.extraVolumeMounts.0.mountPath: /srv/x/y is inside the file /srv/x",
    ),
    *(
        (in_servers(storage=mounted(path)), "has braces, and what may stand in them is username, servername")
        for path in ("/x/{user}", "/x/{course", "/x}")
    ),
    (in_servers(storage=mounted("/x", subPath="{user}")), "storage.extraVolumeMounts.0.subPath: '{user}': has braces"),
    (in_servers(**file("/srv/{x}.json")), "hub.singleuser.extraFiles.x.mountPath: '/srv/{x}.json': has braces"),
    *(
        ({**of, "extraVolumes": [{"name": "spool", **source}]}, "inside what hub.extraVolumeMounts.0 mounts read-only")
        for of, source in (
            ({**mounted("/srv/x"), **file("/srv/x/y")}, {"configMap": {"name": "x"}}),
            ({**mounted("/srv/x", subPath="z"), **file("/srv/x/y/z")}, {"secret": {"secretName": "x"}}),
            ({**mounted("/srv/x", readOnly=True), **file("/srv/x/y")}, {"emptyDir": {}}),
        )
    ),
    (
        in_servers(
            storage={
                "extraVolumes": [{"name": "a", "configMap": {"name": "x"}}, *SPOOL],
                "extraVolumeMounts": [{"name": "spool", "mountPath": "/x/y"}, {"name": "a", "mountPath": "/x"}],
            }
        ),
        "storage.extraVolumeMounts.0.mountPath: /x/y is inside what hub.singleuser.storage.extraVolumeMounts.1 mounts",
    ),
    *((mounted(f"/srv/{part}"), "mountPath: '/srv/") for part in ("x" * 256, "é" * 128, "/".join(["é" * 100] * 21))),
    *((mounted("/srv/x", subPath=path), "hub.extraVolumeMounts.0.subPath: '") for path in ("x\ny", "x\0", "x" * 256)),
    (mounted("/srv/{username}"), "hub.extraVolumeMounts.0.mountPath: '/srv/{username}' has braces"),
    (mounted("/srv/x", subPath="{username}"), "hub.extraVolumeMounts.0.subPath: '{username}' has braces"),
    (file("/srv/{username}"), "hub.extraFiles.x.mountPath: '/srv/{username}' has braces"),
    (
        {"services": {"a": {"apiToken": "0123456789"}, "b": {"apiToken": "0123456789"}}},
        "hub.services.b.apiToken: is also that of a",
    ),
    (
        {"services": {"a": {"command": ["x"]}, "b": {"command": ["x"], "oauth_client_id": "service-a"}}},
        "hub.services.b.oauth_client_id: service-a is also that of a",
    ),
    (file(stringData="x" * 800 * 1024), "800 KiB are too much: a Secret holds of extraEnv and extraFiles"),
    (in_servers(extraEnv={"A": "x" * 800 * 1024}), "hub.singleuser.extraFiles: 800 KiB are too much"),
    ({"templateVars": {"announcement": "x" * 300 * 1024}}, "hub.templateVars: 301 KiB are too much"),
    ({"services": {"prometheus": {"command": ["x"]}}}, "hub.services.prometheus: is henhouse's own service"),
    ({"services": {"a": {}}}, "hub.services.a: needs an apiToken, or a command"),
    ({"services": {"a": {"command": []}}}, "hub.services.a.command"),
    *(
        ({"services": {"a": {"apiToken": token}}}, "must be one word")
        for token in ("x y z x y z", "0123456789\n", "ÄÄÄÄÄÄÄÄÄ")
    ),
    ({"services": {"a": {"apiToken": "x" * 9, "oauth_redirect_uri": "no url"}}}, "hub.services.a.oauth_redirect_uri"),
    *(({"loadRoles": {"abc": {"scopes": ["self"], "groups": [group]}}}, "abc.groups.0") for group in ("", " ", "a ")),
    ({"services": {"a": {"apiToken": "short"}}}, "hub.services.a.apiToken"),
    ({"services": {"a": {"apiToken": "x" * 9, "oauth_client_id": "a"}}}, "hub.services.a.oauth_client_id"),
    ({"services": {"a": {"apiToken": "x" * 9, "url": "http://a"}}}, "hub.services.a.url: is not a setting"),
    ({"loadRoles": {"admin": {"scopes": ["self"]}}}, "hub.loadRoles.admin: cannot be changed"),
    ({"loadRoles": {"token": {"scopes": ["list:users"]}}}, "hub.loadRoles.token: cannot be changed: each service's"),
    (
        {"loadRoles": {"abc": {"scopes": ["self"], "description": "x" * 1024}}},
        "accepted: text of up to 1023 characters",
    ),
    ({"loadRoles": {"abc": {"scopes": ["self"], "description": "x\0"}}}, "hub.loadRoles.abc.description: 'x\\x00'"),
    *(
        (
            {"services": {"a": {"apiToken": "x" * 9, "oauth_redirect_uri": to}}},
            "accepted: up to 1023 characters in ASCII",
        )
        for to in (f"https://a/{'x' * 1014}", "https:///x", "https://a/#x", "/é", "/")
    ),
    (
        {"services": {"a": {"apiToken": "x" * 9, "oauth_client_id": f"service-{'x' * 248}"}}},
        "accepted: service- and up to 247 letters",
    ),
    ({"loadRoles": {"prometheus": {"scopes": []}}}, "hub.loadRoles.prometheus: is henhouse's own role"),
    ({"loadRoles": {"new-role": {}}}, "hub.loadRoles.new-role.scopes: is required of a new role"),
    ({"loadRoles": {"ab": {"scopes": ["self"]}}}, "hub.loadRoles.ab"),
    ({"loadRoles": {"abc": {"scopes": ["list:user"]}}}, "hub.loadRoles.abc.scopes.0: list:user is not a scope"),
    ({"loadRoles": {"abc": {"scopes": ["self"], "services": ["b"]}}}, "b is none of the services"),
    ({"loadRoles": {"abc": {"scopes": ["self"], "users": ["A b"]}}}, "hub.loadRoles.abc.users.0"),
]

NO_TIMES: Final = ("5m", "0", "601", "3600", "-1", "", " 60", "1e2", "٣٠")
REFUSED.extend(
    [
        *(
            (
                in_servers(extraEnv={"JUPYTERHUB_ACTIVITY_INTERVAL": time}),
                "hub.singleuser.extraEnv.JUPYTERHUB_ACTIVITY_INTERVAL: what is given is not a time after which servers "
                "can tell the hub of their use",
            )
            for time in NO_TIMES
        ),
        *(
            (
                {"profile_list": [profile(environment={"JUPYTERHUB_ACTIVITY_INTERVAL": time})]},
                "must have seconds in JUPYTERHUB_ACTIVITY_INTERVAL, a whole number from 1 to 600",
            )
            for time in NO_TIMES
        ),
    ]
)

ACCEPTED: Final[list[dict[str, Any]]] = [
    {"extraEnv": {"HTTPS_PROXY": "http://proxy.example.org:3128", "_x1": ""}},
    in_servers(extraEnv={"JUPYTERHUB_ACTIVITY_INTERVAL": "600"}),
    {"profile_list": [profile(environment={"JUPYTERHUB_SINGLEUSER_APP": "x"})]},
    in_servers(extraEnv={"JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp", "COURSE": "{not} filled"}),
    *(mounted(path) for path in ("/srv/shared", "/home", "/mnt", "/dev/shm", "/etc/ssl/site", "/tmp/x", "/opt/site")),
    *(in_servers(storage=mounted(path)) for path in ("/shared", "/home/shared", "/dev/shm", "/srv/jupyterhub")),
    in_servers(storage=mounted("/shared", subPath="{username}/x", readOnly=True)),
    {**mounted("/srv/x"), **file("/srv/x/y")},
    # What is there already, such as in a claim, can be mounted over.
    {
        **mounted("/srv/x", readOnly=True),
        **file("/srv/x/y"),
        "extraVolumes": [{"name": "spool", "persistentVolumeClaim": {"claimName": "x"}}],
    },
    *(mounted(f"/srv/{part}", subPath=part) for part in ("x" * 255, "é" * 127)),
    in_servers(storage=mounted("/x/{servername}", subPath="{unescaped_username}")),
    file("/usr/local/share/jupyterhub/templates/extra.html"),
    file(stringData="x", mode=0o604),
    file("/usr/local/bin/tool", stringData="x", mode=0o755),
    in_servers(**file("/usr/local/share/jupyterhub/templates/x")),
    in_servers(**file("/etc/jupyter/jupyter_server_config.json", data={"ServerApp": {"x": [1]}})),
    {"extraVolumes": [{"name": "x", "persistentVolumeClaim": {"claimName": "a.b", "readOnly": True}}]},
    {"extraVolumes": [{"name": "x", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}]},
    {"services": {"a": {"command": ["python3", "-m", "a"]}, "b": {"apiToken": "x" * 32, "display": True}}},
    {"loadRoles": {"user": {"scopes": ["self", "read:users!group=staff"]}, "abc": {"scopes": [], "users": ["ada"]}}},
    {"loadRoles": {"abc": {"scopes": ["self"], "description": "é" * 1023}}},
    {"services": {"a": {"apiToken": "x" * 9, "oauth_client_id": f"service-{'x' * 247}"}}},
    {"services": {"a": {"apiToken": "x" * 9, "oauth_redirect_uri": f"https://a/{'x' * 1013}"}}},
    {"services": {"a": {"apiToken": "x" * 9, "oauth_redirect_uri": "/services/a/oauth_callback"}}},
    {"loadRoles": {"abc": {"scopes": ["list:users"], "services": ["prometheus"], "groups": ["staff"]}}},
]


@pytest.mark.parametrize(("hub", "says"), REFUSED, ids=[says[:70] for _, says in REFUSED])
def test_what_would_break_the_hub_or_a_server_is_refused(hub: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parsed(hub)
    assert says in str(refused.value)


@pytest.mark.parametrize("hub", ACCEPTED, ids=repr)
def test_what_a_site_may_add_is_accepted(hub: dict[str, Any]) -> None:
    parsed(hub)


@pytest.mark.parametrize(
    "hub",
    [
        {"extraEnv": {"HOME": SECRET}},
        {"extraEnv": {"A": [SECRET]}},
        {"extraEnv": SECRET},
        {"extraEnv": [SECRET]},
        {"extraFiles": {"x": SECRET}},
        file(stringData=SECRET, data={"a": SECRET}),
        file(data={"a": SECRET}),
        file(data=SECRET),
        file(binaryData=f"{SECRET}!"),
        {"services": {"a": {"apiToken": [SECRET]}}},
        {"services": {"a": {"apiToken": SECRET, "url": "x"}}},
        {"singleuser": SECRET},
        in_servers(extraEnv={"B": {"x": SECRET}}),
    ],
    ids=repr,
)
def test_nothing_that_may_be_secret_is_repeated(hub: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as refused:
        parsed(hub)
    assert SECRET not in str(refused.value)


def test_secrets_are_shown_by_nothing() -> None:
    site = parsed({"extraEnv": {"A": SECRET}, "services": {"a": {"apiToken": SECRET}}, **file(stringData=SECRET)})
    assert SECRET not in repr(site)


def test_file_has_the_content_that_was_meant() -> None:
    files = parsed(
        {
            "extraFiles": {
                "json": {"mountPath": "/a.json", "data": {"b": ["é", 1], "a": None}},
                "yaml": {"mountPath": "/a.yaml", "data": {"a": {"b": "é"}}},
                "text": {"mountPath": "/a", "stringData": "é\n"},
                "bytes": {"mountPath": "/b", "binaryData": "AP\n8=\n", "mode": 0o755},
            }
        }
    ).hub.extra_files
    assert {key: each.content for key, each in files.items()} == {
        "json": b'{\n  "b": [\n    "\\u00e9",\n    1\n  ],\n  "a": null\n}\n',
        "yaml": "a:\n  b: é\n".encode(),
        "text": "é\n".encode(),
        "bytes": b"\0\xff",
    }
    assert files["bytes"].mode == 0o755


@pytest.mark.parametrize(
    ("scope", "known"),
    [
        *((scope, True) for scope in sorted(SCOPES)),
        *((f"read:users!{which}", True) for which in ("user", "user=a", "group=a", "server", "service=a")),
        *((f"read:users!{which}", False) for which in ("", "group", "group=", "users", "team=a")),
        *((scope, False) for scope in ("", "all", "read", "read:user", "custom:x", "(no_scope)")),
    ],
)
def test_scopes_are_jupyterhubs(scope: str, known: bool) -> None:
    assert is_scope(scope) is known
