"""The order of vertices in each rank, with few crossings: sweeps by barycentres, and exchanges of neighbours.

Source: Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures" (1981). What is
in a cluster stays together, and clusters keep one order in all ranks.
"""

from bisect import bisect, insort

from autograd.viz.builtin.parts import Vertex, positions

SWEEPS, PATIENCE = 12, 4  # from each of two starts; sweeps without a gain after which no more follow


def order(vertices: list[Vertex], flat: dict[int, int], beside: float) -> list[list[int]]:
    """Return the vertices of each rank in order; ``flat`` ranks those that an edge within their rank holds in order."""
    return _Order(vertices, flat, beside).best()


class _Order:
    def __init__(self, vertices: list[Vertex], flat: dict[int, int], beside: float) -> None:
        self.vertices, self.flat, self.beside = vertices, flat, beside

    def best(self) -> list[list[int]]:
        found: list[tuple[int, list[list[int]]]] = []
        for forwards in (True, False):
            layers, least, since = self.walked(forwards), -1, 0
            self.pack(layers)
            for sweep in range(SWEEPS):
                self.sweep(layers, ahead=(sweep % 2 == 0) == forwards)
                self.exchange(layers)
                crossings = self.crossings(layers)
                found.append((crossings, [list(layer) for layer in layers]))
                least, since = (crossings, 0) if least < 0 or crossings < least else (least, since + 1)
                if not least or since == PATIENCE:
                    break
        return min(found, key=lambda each: each[0])[1]

    def walked(self, forwards: bool) -> list[list[int]]:
        """Start with the order in which a walk from the sources, or from the results, comes by."""
        layers: list[list[int]] = [[] for _ in range(1 + max(vertex.rank for vertex in self.vertices))]
        seen: set[int] = set()
        for start, vertex in enumerate(self.vertices):
            stack = [] if (vertex.inputs if forwards else vertex.outputs) else [start]
            while stack:
                k = stack.pop()
                if k not in seen:
                    seen.add(k)
                    layers[self.vertices[k].rank].append(k)
                    stack += reversed(self.vertices[k].outputs if forwards else self.vertices[k].inputs)
        centres = self.centres()
        return [self.grouped(layer, {k: float(i) for i, k in enumerate(layer)}, centres) for layer in layers]

    def pack(self, layers: list[list[int]]) -> None:
        """Write into each vertex about the place that it would have: ranks packed tight, around one line."""
        for layer in layers:
            reach = 0.0
            for k in layer:
                vertex = self.vertices[k]
                vertex.place = reach + vertex.before
                reach += vertex.before + vertex.after + self.beside
            for k in layer:
                self.vertices[k].place -= reach / 2

    def centres(self) -> dict[str, float]:
        """Return where each cluster is now, one number for all its ranks."""
        held: dict[str, list[float]] = {}
        for vertex in self.vertices:
            for key in vertex.path:
                held.setdefault(key, []).append(vertex.place)
        return {key: sum(places) / len(places) for key, places in held.items()}

    def sweep(self, layers: list[list[int]], ahead: bool) -> None:
        """Order each rank by where the neighbours of its vertices in the rank before stand."""
        centres = self.centres()
        for rank in range(len(layers)) if ahead else range(len(layers) - 1, -1, -1):
            keys = {}
            for k in layers[rank]:
                vertex = self.vertices[k]
                places = [self.vertices[near].place for near in (vertex.inputs if ahead else vertex.outputs)]
                keys[k] = sum(places) / len(places) if places else vertex.place
            layers[rank] = self.grouped(layers[rank], keys, centres)
            self.pack(layers[rank : rank + 1])

    def grouped(self, layer: list[int], keys: dict[int, float], centres: dict[str, float]) -> list[int]:
        """Sort a rank by keys, what is in a cluster together, and edges within the rank in their direction."""
        at = {k: i for i, k in enumerate(layer)}

        def key(k: int) -> list[tuple[float, str, int]]:
            return [*((centres[name], name, -1) for name in self.vertices[k].path), (keys[k], "", at[k])]

        found = sorted(layer, key=key)
        slots = [i for i, k in enumerate(found) if k in self.flat]
        for i, k in zip(slots, sorted((found[i] for i in slots), key=lambda k: self.flat[k]), strict=True):
            found[i] = k
        return found

    def exchange(self, layers: list[list[int]]) -> None:
        """Exchange neighbours in a rank as long as edges cross less often."""
        at = positions(layers)
        for _ in layers:
            better = False
            for layer in layers:
                for i in range(len(layer) - 1):
                    one, two = layer[i], layer[i + 1]
                    if self.may_pass(one, two) and self.gain(one, two, at) > 0:
                        layer[i], layer[i + 1] = two, one
                        at[one], at[two] = i + 1, i
                        better = True
            if not better:
                break
        self.pack(layers)

    def may_pass(self, one: int, two: int) -> bool:
        return self.vertices[one].path == self.vertices[two].path and not (one in self.flat and two in self.flat)

    def gain(self, one: int, two: int, at: dict[int, int]) -> int:
        """Count how many crossings fewer there are if two neighbours change places."""
        a, b = self.vertices[one], self.vertices[two]
        count = 0
        for mine, others in ((a.inputs, b.inputs), (a.outputs, b.outputs)):
            for k in mine:
                place = at[k]
                for other in others:
                    count += (place > at[other]) - (place < at[other])
        return count

    def crossings(self, layers: list[list[int]]) -> int:
        """Count all crossings of edges between neighbouring ranks."""
        count, at = 0, positions(layers)
        for layer in layers:
            seen: list[int] = []
            for k in layer:
                ends = [at[other] for other in self.vertices[k].outputs]
                count += sum(len(seen) - bisect(seen, end) for end in ends)
                for end in ends:
                    insort(seen, end)
        return count
