"""The administrator's kubeconfig."""

import subprocess

import yaml

from components.cluster.calico.kubeconfig import ca_certificate, ca_hash, reachable


def test_only_the_server_changes(admin_conf: str) -> None:
    before, after = yaml.safe_load(admin_conf), yaml.safe_load(reachable(admin_conf, "https://192.0.2.1:6443"))
    assert after["clusters"][0]["cluster"].pop("server") == "https://192.0.2.1:6443"
    del before["clusters"][0]["cluster"]["server"]
    assert after == before


def test_the_hash_is_the_one_that_kubeadm_documents(admin_conf: str) -> None:
    certificate = ca_certificate(admin_conf)
    # https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-join/
    openssl = "openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -hex -r"
    done = subprocess.run(["bash", "-c", openssl], input=certificate, text=True, check=True, capture_output=True)
    assert ca_hash(certificate) == f"sha256:{done.stdout.split()[0]}"
