"""TinCanPython against a real box: python client.py ENDPOINT KEY SECRET. Ends with 1 at the first thing that is not as sent."""

import hashlib
import json
import sys
import uuid
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import tincan

ACTIVITY = "https://interop.example/python/film"


def ok(response):
    """What an answer holds; ends when it is none."""
    if not response.success:
        sys.exit(f"{response.request.method} {response.request.resource}: {response.data}")
    return response.content


def plain(statement):
    """A statement as JSON, without what the store adds."""
    found = json.loads(statement.to_json())
    for added in ("stored", "authority", "version"):
        found.pop(added, None)
    return found


def same(stored, sent):
    stored, sent = plain(stored), plain(sent)
    if "timestamp" not in sent:
        stored.pop("timestamp", None)
    assert stored == sent, f"{stored}\n{sent}"


def statement(**more):
    return tincan.Statement(
        id=uuid.uuid4(),
        actor=tincan.Agent(account=tincan.AgentAccount(home_page="https://interop.example", name="léa")),
        verb=tincan.Verb(id="http://adlnet.gov/expapi/verbs/experienced", display=tincan.LanguageMap({"en-US": "experienced", "de": "erlebte"})),
        object=tincan.Activity(
            id=ACTIVITY,
            definition=tincan.ActivityDefinition(
                name=tincan.LanguageMap({"en-US": "A film"}),
                type="https://w3id.org/xapi/video/activity-type/video",
                extensions=tincan.Extensions({"https://interop.example/length": 12.5}),
            ),
        ),
        **more,
    )


def main(endpoint, key, secret):
    lrs = tincan.RemoteLRS(endpoint=endpoint, username=key, password=secret)
    # Not `about`: this client refuses whatever speaks 2.0 as well.
    full = statement(
        result=tincan.Result(
            score=tincan.Score(scaled=0.5, raw=5, min=0, max=10),
            success=False,
            completion=True,
            response="blue[,]red",
            duration=timedelta(minutes=2, seconds=3.25),
            extensions=tincan.Extensions({"https://interop.example/nested": {"list": [1, None, "ü"]}}),
        ),
        context=tincan.Context(
            registration=uuid.uuid4(),
            instructor=tincan.Agent(mbox="mailto:ines@interop.example"),
            team=tincan.Group(mbox="mailto:team@interop.example"),
            revision="3",
            platform="Python",
            language="de-AT",
            context_activities=tincan.ContextActivities(
                parent=[tincan.Activity(id="https://interop.example/python")],
                grouping=[tincan.Activity(id="https://interop.example/courses/1")],
            ),
            extensions=tincan.Extensions({"https://interop.example/on": True}),
        ),
        timestamp=datetime(2026, 11, 26, 12, 0, 0, 250000, tzinfo=timezone.utc),
    )
    group = statement()
    group.actor = tincan.Group(
        name="Team",
        member=[tincan.Agent(mbox="mailto:ada@interop.example"), tincan.Agent(openid="https://interop.example/id/bob")],
    )
    planned = statement()
    planned.object = tincan.SubStatement(
        actor=tincan.Agent(mbox_sha1sum="ebd31e95054c018b10727ccffd2ef2ec3a016ee9"),
        verb=tincan.Verb(id="http://adlnet.gov/expapi/verbs/planned"),
        object=tincan.Activity(id=ACTIVITY),
    )
    for one in (full, group, planned):
        ok(lrs.save_statement(one))
        same(ok(lrs.retrieve_statement(one.id)), one)

    # The box gives the id, and this client reads it.
    unnamed = statement()
    unnamed.id = None
    ok(lrs.save_statement(unnamed))
    assert unnamed.id is not None
    ok(lrs.retrieve_statement(unnamed.id))

    batch = [statement() for _ in range(30)]
    ok(lrs.save_statements(batch))
    query = {"agent": batch[0].actor, "verb": batch[0].verb, "activity": batch[0].object, "limit": 20}
    page = ok(lrs.query_statements(query))
    found = list(page.statements)
    while page.more:
        page = ok(lrs.more_statements(page))
        found += page.statements
    assert [one.id for one in found[:30]] == [one.id for one in reversed(batch)]
    for stored, sent in zip(found, reversed(batch)):
        same(stored, sent)

    void = statement()
    void.verb = tincan.Verb(id="http://adlnet.gov/expapi/verbs/voided")
    void.object = tincan.StatementRef(id=batch[0].id)
    ok(lrs.save_statement(void))
    assert lrs.retrieve_statement(batch[0].id).response.status == 404
    same(ok(lrs.retrieve_voided_statement(batch[0].id)), batch[0])

    agent, activity = full.actor, tincan.Activity(id=ACTIVITY)
    state = tincan.StateDocument(activity=activity, agent=agent, id="place", content="at 12.5 s", content_type="text/plain")
    ok(lrs.save_state(state))
    kept = ok(lrs.retrieve_state(activity, agent, "place"))
    assert kept.content == b"at 12.5 s", kept.content
    assert ok(lrs.retrieve_state_ids(activity, agent)) == ["place"]
    ok(lrs.delete_state(kept))
    assert ok(lrs.retrieve_state_ids(activity, agent)) == []

    # This client never says If-None-Match, so it creates no profile at a store that keeps to the standard; it changes one.
    for resource, place, saved, retrieve in (
        (
            "activities/profile",
            {"activityId": ACTIVITY},
            lambda **more: lrs.save_activity_profile(tincan.ActivityProfileDocument(activity=activity, id="notes", **more)),
            lambda: lrs.retrieve_activity_profile(activity, "notes"),
        ),
        (
            "agents/profile",
            {"agent": agent.to_json()},
            lambda **more: lrs.save_agent_profile(tincan.AgentProfileDocument(agent=agent, id="notes", **more)),
            lambda: lrs.retrieve_agent_profile(agent, "notes"),
        ),
    ):
        url = f"{endpoint}{resource}?{urlencode({**place, 'profileId': 'notes'})}"
        headers = {"Authorization": lrs.auth, "X-Experience-API-Version": "1.0.3", "If-None-Match": "*", "Content-Type": "text/plain"}
        urlopen(Request(url, data=b"first", headers=headers, method="PUT"))
        assert ok(retrieve()).content == b"first"
        etag = '"' + hashlib.sha1(b"first").hexdigest() + '"'
        ok(saved(content="second", content_type="text/plain", etag=etag))
        assert ok(retrieve()).content == b"second"
    print("as sent")


main(*sys.argv[1:])
