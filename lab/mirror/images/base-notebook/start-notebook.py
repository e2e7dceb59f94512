#!/opt/conda/bin/python
"""Starts the server that fits: a hub's single-user server where a hub started this, JupyterLab elsewhere."""

import os
import sys

program = ["jupyterhub-singleuser"] if "JUPYTERHUB_API_TOKEN" in os.environ else ["jupyter", "lab", "--ip=0.0.0.0"]
os.execvp(program[0], [*program, *sys.argv[1:]])
