"""The hub itself: where it listens and what it takes in, its proxy, its database and its keys."""

from pathlib import Path

from bounds import bound_answers, bound_requests, bound_tokens
from database import give_password
from henhouse_hub import c, secret, site
from patient_proxy import PatientProxy

c.JupyterHub.hub_bind_url = "http://0.0.0.0:8081"
c.JupyterHub.hub_connect_url = site["hub_url"]
bound_requests()
bound_answers()
bound_tokens()
# A file is absolute, and on a volume of the node: sqlite's locks do not hold on NFS (https://sqlite.org/faq.html#q5).
c.JupyterHub.db_url = site["database_url"]
give_password(Path(site["secrets_directory"]))
# Alembic migrates the database of an older JupyterHub; for sqlite it keeps a copy beside it first. 11-database.py looks
# whether it can.
c.JupyterHub.upgrade_db = site["database_upgrades"]

# The proxy is a Deployment of its own, and user servers are pods: neither ends with the hub.
c.JupyterHub.proxy_class = PatientProxy
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = site["proxy_api_url"]
c.ConfigurableHTTPProxy.auth_token = secret("proxy-token")
c.JupyterHub.cleanup_servers = False
# This timer also gives a restarted proxy its routes again. Upstream's five minutes are long to be without one's server.
c.JupyterHub.last_activity_interval = 30

c.JupyterHub.cookie_secret = bytes.fromhex(secret("cookie-secret"))
c.CryptKeeper.keys = secret("crypt-keys").split(";")

c.JupyterHub.tornado_settings = {
    # Show the progress page at once instead of a browser that seems to hang.
    "slow_spawn_timeout": 0,
    # How often a request for a server whose route the proxy has lost is sent there again: after 2, 4, 8, 10, 10 and
    # 10 s the timer above has run. Upstream's 4 end after 14 s, in an error that JupyterLab takes for the end of the
    # kernel. Each is two redirections, of which browsers follow 20 (https://fetch.spec.whatwg.org/#http-redirect-fetch).
    "user_redirect_limit": 7,
    # People only ever come by HTTPS; the connection that the hub sees is the proxy's plain one.
    "cookie_options": {"secure": True},
}
