"""Kubernetes by kubeadm, its pods routed by Calico without encapsulation."""

from components.cluster.calico.component import CalicoCluster

__all__ = ["CalicoCluster"]
