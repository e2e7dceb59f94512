"""One object of any kind."""

import asyncio
from typing import Final

from engine.standins.diffs import Diff
from engine.standins.kubernetes import manifests
from engine.standins.kubernetes.api import APPLY_PATCH, Cluster, NotFound, Refused, Unreachable
from engine.standins.kubernetes.manifests import REPLACE_UNREADY, annotation, id_of, identity, is_patch
from engine.standins.kubernetes.normal import is_built_in, normal
from engine.standins.kubernetes.ownership import CREATOR, created_here, take_over
from engine.standins.kubernetes.settings import Settings
from engine.standins.kubernetes.waiting import NotReady, is_unready, until_gone, until_ready
from engine.standins.resources import Call, Failed, Invalid, PartlyDone, Resource, suffix
from engine.standins.values import UNKNOWN, Props, Secret, annotated, has_unknown, plain

_CREATE_ATTEMPTS: Final = 6
_CONFLICT: Final = (
    "server-side apply field conflict detected, see https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/"
    "managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources for troubleshooting help\n"
    'The resource managed by field manager "{}" had an apply conflict: {}'
)
_EXISTS: Final = (
    "\n\nThe resource already exists in the cluster. Adopt it with `pulumi import`, change some of its fields with a "
    "Patch resource, or set upsertExistingObjects on the provider."
)
_OF_THE_REAL_ONE: Final = ("uid", "resourceVersion", "creationTimestamp", "managedFields")
"""Metadata that an object made in earnest does not share with a dry run's."""


class Object(Resource):
    """Created by an ordinary POST, changed by server-side apply; `…Patch` types own only the fields they set."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def sealed(self, values: Props, inputs: Props) -> Props:
        recorded = values.get("__inputs")
        found = _sealed(values, inputs)
        return found if recorded is None else {**found, "__inputs": _sealed(recorded, inputs)}

    async def check(self, call: Call, olds: Props, news: Props) -> Props:
        inputs: Props = manifests.clean(news)
        metadata = inputs.setdefault("metadata", {})
        if not isinstance(metadata, dict):
            return inputs
        if "name" not in metadata and "generateName" not in metadata:
            if is_patch(call.token):
                raise Invalid(("metadata.name", "a Patch resource needs the name of the object it changes"))
            inputs = manifests.autonamed(inputs, olds, call.proposed_name or f"{call.name}-{suffix(call.seed)}")
        if "namespace" not in inputs["metadata"] and await self._is_namespaced(call, inputs):
            inputs["metadata"]["namespace"] = self._settings.namespace
        return normal(inputs)

    async def _is_namespaced(self, call: Call, body: Props) -> bool:
        """Say whether objects of this kind live in namespaces.

        A kind that is not known yet counts as namespaced, as in the official provider.
        """
        cluster = await self._settings.reachable(call)
        if cluster is not None:
            try:
                return (await cluster.locate(body["apiVersion"], body["kind"]))[1]
            except (NotFound, Failed):
                pass
        elif not is_built_in(body["apiVersion"]):
            await self._settings.ask_in_vain()
        return body["kind"] not in manifests.CLUSTER_SCOPED

    async def diff(self, call: Call, state: Props, olds: Props, news: Props) -> Diff:
        if isinstance(news["metadata"], dict) and isinstance(olds.get("metadata"), dict):
            # A custom kind's inputs may have been completed before the API server knew its scope.
            namespaced = await self._is_namespaced(call, news)
            olds, news = (self._scoped(each, namespaced) for each in (olds, news))
        mutable = self._settings.flag(f"enable{news['kind']}Mutable")
        # An older release of this plugin recorded the inputs as the program gave them.
        old, new = plain(normal(olds)), plain(normal(news))
        begin_again = await self._failed_and_begins_again(call, new)
        return manifests.difference(old, new, is_patch(call.token), mutable, begin_again=begin_again)

    async def _failed_and_begins_again(self, call: Call, news: Props) -> bool:
        if news["kind"] != "Job" or annotation(news, REPLACE_UNREADY) != "true" or has_unknown(news["metadata"]):
            return False
        cluster = await self._settings.reachable(call)
        return cluster is not None and await is_unready(cluster, news)

    def _scoped(self, body: Props, namespaced: bool) -> Props:
        given = body["metadata"].get("namespace", self._settings.namespace)
        return manifests.with_namespace(body, given if namespaced else None)

    # Previews.

    async def preview_create(self, call: Call, news: Props) -> Props:
        unsaid = {**news, "status": UNKNOWN, "__initialApiVersion": news["apiVersion"], "__fieldManager": UNKNOWN}
        cluster = await self._settings.reachable(call)
        if has_unknown(news) or cluster is None:
            return unsaid
        try:
            live = await self._make(cluster, call, news, "pulumi-preview", dryRun="All")
        except (NotFound, Unreachable):  # its namespace, its kind or the cluster is yet to come
            return unsaid
        except Refused as error:
            if error.status in (403, 409):  # no right to ask; or the old object, to be replaced under its name
                return unsaid
            raise Failed(_not_created(call, news, error)) from error
        for key in _OF_THE_REAL_ONE:
            live["metadata"].pop(key, None)
        if live["kind"] == "Service" and "clusterIP" not in news.get("spec", {}):
            live["spec"] |= {"clusterIP": UNKNOWN, "clusterIPs": UNKNOWN}
        return {**_state(live, "", news), "status": UNKNOWN, "__fieldManager": UNKNOWN}

    async def preview_update(self, call: Call, id: str, state: Props, news: Props) -> Props:
        manager = state.get("__fieldManager") or CREATOR
        unsaid = {**news, "status": UNKNOWN, "__initialApiVersion": news["apiVersion"], "__fieldManager": manager}
        cluster = await self._settings.reachable(call)
        if has_unknown(news) or cluster is None:
            return unsaid
        try:
            force = created_here(await cluster.get(news))
            return _state(await self._apply(cluster, news, manager, force, dryRun="All"), manager, news)
        except (NotFound, Unreachable):
            return unsaid
        except Refused as error:
            if error.status == 403:
                return unsaid
            reason = _CONFLICT.format(manager, error) if error.status == 409 else str(error)
            raise Failed(f'the Kubernetes API server reported that "{id}" cannot be updated: {reason}') from error

    # Changes.

    async def create(self, call: Call, news: Props) -> tuple[str, Props]:
        manager = annotation(news, "patchFieldManager") or f"{CREATOR}-{suffix()}"
        cluster = self._settings.cluster()
        live = await self._create(cluster, call, news, manager)
        failed = f'resource "{call.urn}" was successfully created, but the Kubernetes API server reported that it'
        return id_of(live), await self._settle(call, cluster, live, news, manager, failed)

    async def _create(self, cluster: Cluster, call: Call, news: Props, manager: str) -> Props:
        for attempt in range(1, _CREATE_ATTEMPTS + 1):
            try:
                return await self._make(cluster, call, news, manager)
            except NotFound as error:  # its namespace or its kind may be on the way
                if attempt == _CREATE_ATTEMPTS or is_patch(call.token):
                    raise Failed(_not_created(call, news, error)) from error
                await call.say(f"Retry #{attempt}; creation failed: {error}")
            except Refused as error:
                hint = _EXISTS if "already exists" in str(error) else ""
                raise Failed(_not_created(call, news, error) + hint) from error
            await asyncio.sleep(0.5 * 2**attempt)
        raise AssertionError("the last attempt returns or raises")

    async def _make(self, cluster: Cluster, call: Call, body: Props, manager: str, **query: str) -> Props:
        """Create an object in the ordinary way: an object that exists already is an error."""
        if is_patch(call.token):
            await cluster.get(body)
            return await self._apply(cluster, body, manager, False, **query)
        if self._settings.flag("upsertExistingObjects"):
            return await self._apply(cluster, body, manager, False, **query)
        path = await cluster.path(body, named=False)
        if not (await cluster.locate(body["apiVersion"], body["kind"]))[1]:
            body = manifests.with_namespace(body, None)
        return await cluster.ask("POST", path, body, fieldManager=CREATOR, **query)

    async def _apply(self, cluster: Cluster, body: Props, manager: str, force: bool, **query: str) -> Props:
        force = force or annotation(body, "patchForce") == "true" or self._settings.flag("enablePatchForce")
        query |= {"fieldManager": manager, "force": str(force).lower(), "fieldValidation": "Warn"}
        if not (await cluster.locate(body["apiVersion"], body["kind"]))[1]:
            body = manifests.with_namespace(body, None)
        return await cluster.ask("PATCH", await cluster.path(body), body, APPLY_PATCH, **query)

    async def update(self, call: Call, id: str, state: Props, news: Props) -> Props:
        manager = annotation(news, "patchFieldManager") or state.get("__fieldManager") or CREATOR
        failed = f'the Kubernetes API server reported that "{id}"'
        cluster = self._settings.cluster()
        try:
            if not is_patch(call.token):
                await take_over(cluster, news, manager)
            live = await self._apply(cluster, news, manager, False)
        except NotFound as error:
            raise Failed(f'update of resource "{call.urn}" failed: {error}') from error
        except Refused as error:
            # Recorded with the new inputs, as the official provider does: the next update tries again.
            text = _CONFLICT.format(manager, error) if error.status == 409 else str(error)
            reason = f"{failed} failed to fully initialize or become live: {text}"
            raise PartlyDone(id, _state(await cluster.get(news), manager, news), plain(news), [reason]) from error
        return await self._settle(call, cluster, live, news, manager, failed)

    async def _settle(self, call: Call, cluster: Cluster, live: Props, news: Props, manager: str, failed: str) -> Props:
        try:
            return _state(await until_ready(call, cluster, live, news), manager, news)
        except NotReady as error:
            first, *rest = error.reasons
            reasons = [f"{failed} failed to fully initialize or become live: {first}", *rest]
            raise PartlyDone(id_of(live), _state(error.live, manager, news), plain(news), reasons) from error
        except asyncio.CancelledError as error:
            # It exists: an object whose name nothing else remembers would stay for good.
            reasons = [f"{failed} failed to fully initialize or become live: the update was interrupted"]
            raise PartlyDone(id_of(live), _state(live, manager, news), plain(news), reasons) from error

    async def read(self, call: Call, id: str, state: Props, inputs: Props) -> tuple[Props, Props] | None:
        known = bool(inputs)
        body = identity(inputs) if known else manifests.from_id(call.token, id)
        try:
            live = await self._settings.cluster().get(body)
        except NotFound:
            return None
        except Unreachable:
            if self._settings.flag("deleteUnreachable"):
                return None
            raise
        if known:
            found = manifests.carry_drift(inputs, manifests.clean(state), manifests.clean(live))
        else:
            kept = {key: live["metadata"][key] for key in ("name", "namespace", "labels") if key in live["metadata"]}
            found = {**{key: value for key, value in live.items() if key != "status"}, "metadata": kept}
        return _state(live, state.get("__fieldManager") or CREATOR, found), found

    async def delete(self, call: Call, id: str, state: Props) -> None:
        try:
            await self._delete(call, self._settings.cluster(), state)
        except NotFound:
            pass
        except Unreachable:
            if not self._settings.flag("deleteUnreachable"):
                raise

    async def _delete(self, call: Call, cluster: Cluster, state: Props) -> None:
        body = identity(state)
        if is_patch(call.token):
            await self._apply(cluster, body, state["__fieldManager"], False)  # applying nothing gives the fields up
            return
        policy = annotation(state, "deletionPropagationPolicy") or "foreground"
        await cluster.ask("DELETE", await cluster.path(body), {"propagationPolicy": policy.capitalize()})
        if annotation(state, "skipAwait") != "true":
            await until_gone(call, cluster, state)


def _state(live: Props, manager: str, inputs: Props) -> Props:
    """Return what is recorded of an object (`checkpointObject`, provider/pkg/provider/provider.go)."""
    return {**live, "__inputs": plain(inputs), "__initialApiVersion": live["apiVersion"], "__fieldManager": manager}


def _sealed(values: Props, inputs: Props) -> Props:
    """Mark what is secret in the inputs and, whatever the inputs were, what a Secret holds (`annotateSecrets`)."""
    if values.get("kind") != "Secret":
        return annotated(values, inputs)
    return {key: Secret(plain(value)) if key in ("data", "stringData") else value for key, value in values.items()}


def _not_created(call: Call, news: Props, error: Exception) -> str:
    if str(error).startswith("no matches for kind"):
        return (
            f'creation of resource "{call.urn}" with kind {news["apiVersion"]}/{news["kind"]} failed because the '
            "Kubernetes API server reported that the apiVersion for this resource does not exist. "
            f"Verify that any required CRDs have been created: {error}"
        )
    return f'resource "{call.urn}" was not successfully created by the Kubernetes API server: {error}'
