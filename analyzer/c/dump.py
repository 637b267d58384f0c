"""Print lowered functions so that people and tests can read them."""

from __future__ import annotations

from analyzer.c.ir import (
    Assign,
    Binary,
    Branch,
    Call,
    Cast,
    Check,
    Const,
    Expr,
    Field,
    Function,
    Havoc,
    Index,
    Instruction,
    Iterate,
    Jump,
    Name,
    Opaque,
    Return,
    Terminator,
    Text,
    Unary,
    Variant,
)


def dump(function: Function) -> str:
    """Return all variants of a function, a line for each instruction."""
    lines = [f"{function.name}({', '.join(p.name or p.type for p in function.params)})"]
    for variant in function.variants:
        if variant.conditions:
            lines.append("variant " + " ".join(f"{s}={'yn'[not v]}" for s, v in variant.conditions))
        lines.append(dump_variant(variant))
    lines += (f"gap {g.kind} line {g.line}: {g.detail}" for g in function.gaps)
    return "\n".join(lines)


def dump_variant(variant: Variant) -> str:
    """Return one control-flow graph; a block is a number, its lines, its end."""
    lines = []
    for n, block in enumerate(variant.blocks):
        steps = [*map(instruction, block.instructions), terminator(block.end)]
        lines.append(f"{n}: " + "; ".join(steps))
    for loop in variant.loops:
        blocks = ",".join(map(str, sorted(loop.blocks)))
        assigns = ",".join(sorted(loop.assigns)) or "nothing"
        lines.append(f"{loop.kind} loop at {loop.header} of {blocks} assigns {assigns}")
    return "\n".join(lines)


def instruction(step: Instruction) -> str:
    """Return one instruction in one line."""
    match step:
        case Assign(target, value):
            return f"{expression(target)} = {expression(value)}"
        case Call(result, callee, args):
            return f"{result.id} = call {expression(callee)}({_list(args)})"
        case Iterate(result, macro, args):
            return f"{result.id} = iterate {macro}({_list(args)})"
        case Check(macro, fatal, condition):
            return f"{'fatal' if fatal else 'check'} {macro}({condition})"
        case Havoc(names):
            return f"havoc {', '.join(sorted(names))}"


def terminator(end: Terminator) -> str:
    """Return the end of a block in one line."""
    match end:
        case Jump(target):
            return f"-> {target}"
        case Branch(cond, then, orelse):
            return f"if {expression(cond)} -> {then} else {orelse}"
        case Return(None):
            return "return"
        case Return(value) if value is not None:
            return f"return {expression(value)}"
        case _:
            return "stop"


def expression(e: Expr) -> str:
    """Return an expression as C."""
    match e:
        case Const(value):
            return str(value)
        case Text(value):
            return '"' + value.replace("\n", "\\n") + '"'
        case Name(id):
            return id
        case Field(base, name, arrow):
            return f"{_operand(base)}{'->' if arrow else '.'}{name}"
        case Index(base, index):
            return f"{_operand(base)}[{expression(index)}]"
        case Unary(op, operand):
            return f"{op}{_operand(operand)}"
        case Binary(op, left, right):
            return f"{_operand(left)} {op} {_operand(right)}"
        case Cast(type, operand):
            return f"({type}){_operand(operand)}"
        case Opaque(text):
            return f"<{text}>"


def _operand(e: Expr) -> str:
    spelled = expression(e)
    return f"({spelled})" if isinstance(e, Binary | Cast | Unary) else spelled


def _list(args: tuple[Expr, ...]) -> str:
    return ", ".join(map(expression, args))
