"""Tail of a forest's graph: from the sums over its trees to score and logit, cut out of it.

Its operations and constants are the graph's own, so that what it makes of the same sums has the
same bits where the kernels give each row the same bits in any batch.
"""

from typing import Any

_IDENTIFIER = b"TFL3"
_NOT_GIVEN = -1  # an optional input that is not given


def tail_of(content: bytes) -> bytes | None:
    """A LiteRT graph from [n, 2] sums to the output of `content`.

    None where everything passes through no such tensor.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    graph = model.subgraphs[0]
    cut = _cut(graph)
    if cut is None:
        return None
    at, tensor = cut
    graph.operators = graph.operators[at:]
    graph.inputs = [tensor]
    model.signatureDefs = None
    read = {number for each in graph.operators for number in (*each.inputs, *each.outputs)}
    kept = {graph.tensors[number].buffer for number in read if number != _NOT_GIVEN}
    for number, buffer in enumerate(model.buffers):
        if number not in kept:
            buffer.data = None
    builder = flatbuffers.Builder(1 << 12)
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def _cut(graph: Any) -> tuple[int, int] | None:
    """(The first operator behind, the tensor) of the last [n, 2] through which everything goes."""
    made = {number for each in graph.operators for number in each.outputs} | set(graph.inputs)
    needed = set(graph.outputs)
    for at in reversed(range(len(graph.operators))):
        operator = graph.operators[at]
        needed -= set(operator.outputs)
        needed |= made.intersection(operator.inputs)
        if len(needed) == 1:
            (number,) = needed
            if len(shape := graph.tensors[number].shape) == 2 and shape[1] == 2:
                return at, number
    return None
