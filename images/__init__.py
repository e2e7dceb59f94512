"""The images of user servers: recipes that any builder of OCI images reads, built and tried here with buildah."""
