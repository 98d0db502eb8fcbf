"""What the published SDKs of Anthropic and OpenAI say: one JSON object a line in, one a line out.

`check`: whether a value is of a type of theirs, unknown fields included. `ask`: what their client reads from a server.
"""

import importlib
import json
import sys
import typing

import anthropic
import openai
import pydantic
from typing_extensions import is_typeddict


def named(path):
    """A type by its dotted name."""
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


def be_strict():
    """Typed dictionaries take any field, and what is only to be gone through is not checked, if not told otherwise."""
    config = pydantic.ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    for name, module in list(sys.modules.items()):
        if name.split(".")[:2] in (["anthropic", "types"], ["openai", "types"]):
            for thing in list(vars(module).values()):
                if is_typeddict(thing):
                    thing.__pydantic_config__ = config
            if hasattr(module, "Iterable"):
                module.Iterable = typing.List


def arms(kind):
    """The models of a union, nested ones included."""
    if isinstance(kind, type):
        return [kind]
    return [arm for inner in typing.get_args(kind) for arm in arms(inner)]


def of_value(kind, value):
    """The model of a union that a value says it is."""
    if isinstance(kind, type):
        return kind
    for arm in arms(kind):
        field = getattr(arm, "model_fields", {}).get("type")
        if field is not None and value.get("type") in typing.get_args(field.annotation):
            return arm
    raise ValueError(f"no type of the union is called {value.get('type')!r}")


def walk(value, path):
    """The unknown fields of models."""
    if isinstance(value, pydantic.BaseModel):
        for name in value.model_extra or {}:
            yield f"{path}.{name}: unknown"
        for name in type(value).model_fields:
            yield from walk(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from walk(inner, f"{path}.{name}")
    elif isinstance(value, (list, tuple)):
        for at, inner in enumerate(value):
            yield from walk(inner, f"{path}[{at}]")


def check(job):
    try:
        kind = of_value(named(job["as"]), job["value"])
        read = pydantic.TypeAdapter(kind).validate_json(json.dumps(job["value"]), strict=True)
        return {"faults": sorted(walk(read, ""))}
    except pydantic.ValidationError as error:
        return {"faults": [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]}
    except ValueError as error:
        return {"faults": [str(error)]}


def ending(word, text, reasoned, refused=False):
    if word in ("max_tokens", "length", "max_output_tokens", "model_context_window_exceeded"):
        return "truncated"
    if refused or word in ("refusal", "content_filter"):
        return "refused"
    if reasoned and not text.strip():
        return "reasoning_only"
    return "complete" if word in ("end_turn", "stop", "stop_sequence", "completed") else f"other {word}"


def ask_messages(job, body):
    client = anthropic.Anthropic(base_url=job["root"], api_key=job["key"], max_retries=0)
    if body.pop("stream"):
        with client.messages.stream(**body) as stream:
            answer = stream.get_final_message()
    else:
        answer = client.messages.create(**body)
    text = "".join(block.text for block in answer.content if block.type == "text")
    reasoned = any(block.type in ("thinking", "redacted_thinking") for block in answer.content)
    usage = answer.usage
    cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    return {
        "text": text,
        "ending": ending(answer.stop_reason, text, reasoned),
        "input": usage.input_tokens + cached + written,
        "cached": cached,
        "output": usage.output_tokens,
    }


def ask_responses(job, body):
    client = openai.OpenAI(base_url=job["root"] + "/v1", api_key=job["key"], max_retries=0)
    answer = client.responses.create(**body)
    if body["stream"]:
        whole = None
        for event in answer:
            if event.type == "error":
                raise openai.APIError(event.message, request=None, body=None)
            if event.type in ("response.completed", "response.incomplete", "response.failed"):
                whole = event.response
        if whole is None:
            raise openai.APIError("the stream has no last event", request=None, body=None)
        answer = whole
    parts = [part for item in answer.output if item.type == "message" for part in item.content]
    text = "".join(part.text for part in parts if part.type == "output_text")
    word = answer.status
    if answer.incomplete_details is not None and answer.incomplete_details.reason is not None:
        word = answer.incomplete_details.reason
    reasoned = any(item.type == "reasoning" for item in answer.output)
    details = answer.usage.input_tokens_details
    return {
        "text": text,
        "ending": ending(word, text, reasoned, any(part.type == "refusal" for part in parts)),
        "input": answer.usage.input_tokens,
        "cached": details.cached_tokens or 0 if details else 0,
        "output": answer.usage.output_tokens,
    }


def ask_chat(job, body):
    client = openai.OpenAI(base_url=job["root"] + "/v1", api_key=job["key"], max_retries=0)
    answer = client.chat.completions.create(**body)
    text, refusal, reasoning, word, usage = "", "", "", None, None
    for chunk in answer if body["stream"] else [answer]:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            piece = choice.delta if body["stream"] else choice.message
            text += piece.content or ""
            refusal += piece.refusal or ""
            reasoning += getattr(piece, "reasoning_content", None) or ""
            word = choice.finish_reason or word
    details = usage.prompt_tokens_details if usage else None
    return {
        "text": text,
        "ending": ending(word, text, bool(reasoning), bool(refusal)),
        "input": usage.prompt_tokens if usage else 0,
        "cached": (details.cached_tokens or 0) if details else 0,
        "output": usage.completion_tokens if usage else 0,
    }


def ask(job):
    by = {"messages": ask_messages, "responses": ask_responses, "chat": ask_chat}[job["protocol"]]
    try:
        return by(job, dict(job["body"]))
    except (anthropic.APIStatusError, openai.APIStatusError) as error:
        return {"status": error.status_code}
    except Exception as error:  # What the SDK makes of it is what is asked for.
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    jobs = [json.loads(line) for line in sys.stdin if line.strip()]
    for job in jobs:
        if job["do"] == "check":
            named(job["as"])
    be_strict()
    for job in jobs:
        print(json.dumps({"check": check, "ask": ask}[job["do"]](job)), flush=True)


main()
