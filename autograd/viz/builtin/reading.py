"""Read DOT text: the part of the language in which our pictures are written."""

import re
from dataclasses import dataclass, field

from autograd.errors import ArgumentError

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|->|[\[\]{}=;,]|[^\s\[\]{}=;,"<>-][^\s\[\]{}=;,"<>]*|-?[\d.]+)')
_OPENING, _ANGLE = re.compile(r"\s*<"), re.compile("[<>]")
Look = dict[str, str]


@dataclass(slots=True)
class Graph:
    """Hold a DOT text: the attributes of the graph, of nodes, edges and clusters, and what stands in which cluster."""

    look: Look = field(default_factory=dict)
    nodes: dict[str, Look] = field(default_factory=dict)
    edges: list[tuple[str, str, Look]] = field(default_factory=list)
    clusters: dict[str, Look] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Scope:
    """Hold what a ``{`` opened: its cluster, and what nodes and edges inside look like."""

    cluster: str
    look: Look
    node: Look
    edge: Look


def read(source: str) -> Graph:
    """Read a graph. Labels in ``<…>`` keep their first ``<``, so that they are told from plain ones.

    >>> read("digraph { a [label=x] a -> b }").nodes
    {'a': {'label': 'x'}, 'b': {'label': 'b'}}
    """
    tokens, graph = _tokens(source), Graph()
    if "{" not in tokens or tokens[-1] != "}":
        raise ArgumentError("the built-in layout cannot read this DOT text: it is no whole graph.")
    at = tokens.index("{") + 1
    scopes = [_Scope("", graph.look, {}, {})]
    while at < len(tokens) and scopes:
        token, at, scope = _plain(tokens[at]), at + 1, scopes[-1]
        after = tokens[at] if at < len(tokens) else ""
        if token == "}":
            scopes.pop()
        elif token == "subgraph":
            key, at = _plain(after), at + 2
            graph.clusters[key], graph.parents[key] = {}, scope.cluster
            scopes.append(_Scope(key, graph.clusters[key], dict(scope.node), dict(scope.edge)))
        elif after == "=":
            scope.look[token], at = _plain(tokens[at + 1]), at + 2
        elif token in ("graph", "node", "edge"):
            at = _attributes(tokens, at, {"graph": scope.look, "node": scope.node, "edge": scope.edge}[token])
        elif after == "->":
            head, look = _plain(tokens[at + 1]), dict(scope.edge)
            at = _attributes(tokens, at + 2, look)
            graph.edges.append((_node(graph, token, scope), _node(graph, head, scope), look))
        elif token != ";":
            at = _attributes(tokens, at, graph.nodes[_node(graph, token, scope)])
    return graph


def _node(graph: Graph, key: str, scope: _Scope) -> str:
    graph.nodes.setdefault(key, {"label": key, **scope.node})
    graph.parents.setdefault(key, scope.cluster)
    return key


def _attributes(tokens: list[str], at: int, into: Look) -> int:
    """Read ``[key=value …]`` if it stands there, and return the place behind it."""
    if at >= len(tokens) or tokens[at] != "[":
        return at
    at += 1
    while tokens[at] != "]":
        if tokens[at] in ",;":
            at += 1
        else:
            into[tokens[at]], at = _plain(tokens[at + 2]), at + 3
    return at + 1


def _tokens(source: str) -> list[str]:
    found: list[str] = []
    at, end = 0, len(source.rstrip())
    while at < end:
        if opening := _OPENING.match(source, at):
            start, deep = opening.end() - 1, 0
            for angle in _ANGLE.finditer(source, start):
                deep += 1 if angle[0] == "<" else -1
                at = angle.end()
                if not deep:
                    break
            found.append(source[start : at - 1])
        elif token := _TOKEN.match(source, at):
            found.append(token[1])
            at = token.end()
        else:
            raise ArgumentError(f"the built-in layout cannot read DOT at {source[at : at + 40]!r}.")
    return found


def _plain(token: str) -> str:
    return token[1:-1] if token[0] == '"' else token


def lines(text: str) -> list[str]:
    r"""Return the lines of a DOT string, without its escapes.

    >>> lines(r"a\nb \"c\" \\n")
    ['a', 'b "c" \\n']
    """
    escapes = {"n": "\n", "l": "\n", "r": "\n"}
    return re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[1]), text).split("\n")
