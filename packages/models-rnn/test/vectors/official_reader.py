"""Asks the official reader of safetensors (the package of that name on PyPI) what it makes of small files, for official-reader.test.ts.

official_reader.py > official-reader.json
"""

import importlib.metadata
import json
import struct

import safetensors

CASES = []


def add(name, header, data=0):
    CASES.append((name, header, data))


A = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'


def one(dtype='"F32"', shape="[1]", offs="[0,4]", extra=""):
    return '{"a":{"dtype":%s,"shape":%s,"data_offsets":%s%s}}' % (dtype, shape, offs, extra)


add("no tensors", "{}")
add("no tensors but data", "{}", 1)
add("padding by spaces", "{}      ")
add("padding by tabs and line breaks", "{}\t\n\r ")
add("padding by zero bytes", "{}\0\0")
add("padding by form feed", "{}\f")
add("padding by no-break space", "{}\u00a0")
add("padding by byte order mark", "{}\ufeff")
add("leading space", " {}")
add("leading byte order mark", "\ufeff{}")
add(
    "white space between all tokens",
    '{ "a"\n:\t{ "dtype" : "F32" , "shape" : [ 1 ] , "data_offsets" : [ 0 , 4 ] } }',
    4,
)
add("vertical tab between tokens", '{"a"\v:' + A + "}", 4)
add("no-break space between tokens", '{"a"\u00a0:' + A + "}", 4)
add("metadata null", '{"__metadata__":null,"a":' + A + "}", 4)
add("metadata empty", '{"__metadata__":{}}')
add("metadata text", '{"__metadata__":{"format":"pt"}}')
for n, x in [("a number", "1"), ("null", "null"), ("true", "true"), ("a list", '["x"]'), ("an object", "{}")]:
    add("metadata value " + n, '{"__metadata__":{"format":%s}}' % x)
for n, x in [("a list", "[]"), ("a text", '"x"'), ("false", "false"), ("a number", "0")]:
    add("metadata " + n, '{"__metadata__":%s}' % x)
add("metadata twice", '{"__metadata__":{},"__metadata__":{}}')
add("metadata null twice", '{"__metadata__":null,"__metadata__":null}')
add("a metadata name twice", '{"__metadata__":{"x":"1","x":"2"}}')
add("metadata last", '{"a":' + A + ',"__metadata__":{"x":"y"}}', 4)
add("metadata as a tensor", '{"__metadata__":' + A + "}", 4)
add("metadata by an escaped name", '{"\\u005f_metadata__":{"x":"y"}}')
add("a name twice", '{"a":' + A + ',"a":' + A + "}", 4)
add("dtype twice", one(extra=',"dtype":"F32"'), 4)
add("an extra field twice", one(extra=',"x":1,"x":2'), 4)
for n, x in [
    ("text", '"x"'),
    ("null", "null"),
    ("true", "true"),
    ("fraction", "1.5"),
    ("negative", "-1"),
    ("exponent", "1e5"),
    ("too large", "1e400"),
    ("leading zero", "01"),
    ("plus", "+1"),
    ("NaN", "NaN"),
    ("lone minus", "-"),
    ("point without digits", "1."),
    ("point first", ".5"),
    ("large integer", "123456789012345678901234567890"),
    ("object", '{"y":[1,{"z":null}]}'),
    ("nested 20 deep", "[" * 20 + "]" * 20),
    ("nested 100 deep", "[" * 100 + "]" * 100),
    ("nested 125 deep", "[" * 125 + "]" * 125),
    ("nested 126 deep", "[" * 126 + "]" * 126),
    ("nested 127 deep", "[" * 127 + "]" * 127),
    ("nested 128 deep", "[" * 128 + "]" * 128),
    ("nested 200 deep", "[" * 200 + "]" * 200),
    ("trailing comma", "[1,]"),
    ("unclosed", "[1"),
    ("empty", ""),
    ("single quotes", "'x'"),
]:
    add("an extra field, " + n, one(extra=',"more":' + x), 4)
add("an extra field by an escaped name", one(extra=',"d\\u0074":1'), 4)
add("field names escaped", '{"a":{"\\u0064type":"F32","shape":[1],"data_offsets":[0,4]}}', 4)
for n, s, d in [
    ("1.0", "[1.0]", 4),
    ("1e0", "[1e0]", 4),
    ("1e2", "[1e2]", 400),
    ("-0", "[-0]", 0),
    ("-1", "[-1]", 4),
    ("0.0", "[0.0]", 0),
    ("a text", '["1"]', 4),
    ("null", "[null]", 4),
    ("true", "[true]", 4),
    ("a list", "[[1]]", 4),
    ("leading zero", "[01]", 4),
]:
    add("a shape of " + n, one(shape=s, offs="[0,%d]" % d), d)
for n, s in [("null", "null"), ("a number", "1"), ("a text", '"1"'), ("an object", "{}")]:
    add("the shape " + n, one(shape=s), 4)
add("a scalar", one(shape="[]"), 4)
add("a scalar of no bytes", one(shape="[]", offs="[0,0]"), 0)
add("size zero", one(shape="[0]", offs="[0,0]"))
add("size zero in the middle", one(shape="[3,0,5]", offs="[0,0]"))
add("size zero with bytes", one(shape="[0]"), 4)
add("size zero beside 2^53", one(shape="[0,9007199254740992]", offs="[0,0]"))
add("size zero beside 2^53-1", one(shape="[0,9007199254740991]", offs="[0,0]"))
add("size zero after a product over 2^64", one(shape="[4294967296,4294967296,0]", offs="[0,0]"))
add("size zero after a product of 2^62", one(shape="[2147483648,2147483648,0]", offs="[0,0]"))
add("size zero after a product of 2^54", one(shape="[134217728,134217728,0]", offs="[0,0]"))
add("size zero before a product over 2^64", one(shape="[0,4294967296,4294967296]", offs="[0,0]"))
add("a product over 2^53", one(shape="[4194305,4194305,211106198978564]"), 4)
add("a product that wraps to 1", one(shape="[4294967297,4294967297,18446744065119617025]"), 4)
add("a size of 2^64", one(shape="[18446744073709551616]"), 4)
add("a size of 2^64-1", one(shape="[18446744073709551615]"), 4)
add("bits over 2^64", one(dtype='"F64"', shape="[2305843009213693952]"), 8)
E2 = '{"dtype":"F32","shape":[0],"data_offsets":[%d,%d]}'
add("two empty tensors at 0", '{"a":' + E2 % (0, 0) + ',"b":' + E2 % (0, 0) + "}")
add("an empty tensor before", '{"a":' + A + ',"b":' + E2 % (0, 0) + "}", 4)
add("an empty tensor after", '{"a":' + A + ',"b":' + E2 % (4, 4) + "}", 4)
add("an empty tensor inside", '{"a":' + A + ',"b":' + E2 % (2, 2) + "}", 4)
add("an empty tensor past the end", '{"a":' + A + ',"b":' + E2 % (8, 8) + "}", 4)
add("an empty tensor past the end, with data", '{"a":' + A + ',"b":' + E2 % (8, 8) + "}", 8)
add("another order than the data", '{"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"a":' + A + "}", 8)
add("a hole", '{"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"a":' + A + "}", 12)
add("an overlap", '{"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]},"a":' + A + "}", 6)
add("shared data", '{"b":' + A + ',"a":' + A + "}", 4)
add("a hole at the start", '{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8)
add("a byte too many", one(), 5)
add("a byte too few", one(), 3)
add("an end before its begin", one(offs="[4,0]"), 4)
for n, o in [
    ("-4", "[-4,0]"),
    ("4.0", "[0,4.0]"),
    ("0.0", "[0.0,4]"),
    ("-0", "[-0,4]"),
    ("4e0", "[0,4e0]"),
    ("three", "[0,4,8]"),
    ("one", "[4]"),
    ("none", "[]"),
    ("a text", '["0","4"]'),
    ("an object", '{"begin":0,"end":4}'),
    ("null", "null"),
    ("a number", "4"),
]:
    add("offsets: " + n, one(offs=o), 4)
add("no dtype", '{"a":{"shape":[1],"data_offsets":[0,4]}}', 4)
add("no shape", '{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4)
add("no offsets", '{"a":{"dtype":"F32","shape":[1]}}', 4)
add("no fields", '{"a":{}}')
add("an entry as a list", '{"a":["F32",[1],[0,4]]}', 4)
add("a dtype as an object", one(dtype='{"F32":null}'), 4)
for n, x in [("true", "true"), ("null", "null"), ("a number", "1"), ("a text", '"x"'), ("an empty list", "[]")]:
    add("an entry: " + n, '{"a":%s}' % x)
for d in ["f32", "F8", "C128", "F4_E2M1", "F8_E4M3FN", "COMPLEX64", "toString", "", "null"]:
    add('the dtype "%s"' % d, one(dtype='"%s"' % d), 4)
for n, d in [("null", "null"), ("a number", "1"), ("a list", '["F32"]')]:
    add("the dtype " + n, one(dtype=d), 4)
BITS = dict(
    BOOL=8,
    F4=4,
    F6_E2M3=6,
    F6_E3M2=6,
    U8=8,
    I8=8,
    F8_E5M2=8,
    F8_E4M3=8,
    F8_E8M0=8,
    F8_E4M3FNUZ=8,
    F8_E5M2FNUZ=8,
    I16=16,
    U16=16,
    F16=16,
    BF16=16,
    I32=32,
    U32=32,
    F32=32,
    C64=64,
    F64=64,
    I64=64,
    U64=64,
)
for d, b in BITS.items():
    add("%s of 8 elements" % d, one(dtype='"%s"' % d, shape="[8]", offs="[0,%d]" % b), b)
    add("%s with a byte too many" % d, one(dtype='"%s"' % d, shape="[8]", offs="[0,%d]" % (b + 1)), b + 1)
for d, n in [
    ("F4", 1),
    ("F4", 3),
    ("F4", 2),
    ("F6_E2M3", 1),
    ("F6_E2M3", 2),
    ("F6_E2M3", 3),
    ("F6_E2M3", 4),
    ("F6_E3M2", 5),
]:
    b = BITS[d] * n
    for up in sorted({b // 8, (b + 7) // 8}):
        add("%s of %d in %d bytes" % (d, n, up), one(dtype='"%s"' % d, shape="[%d]" % n, offs="[0,%d]" % up), up)
add("F4 of size zero", one(dtype='"F4"', shape="[0]", offs="[0,0]"))
add("F4 scalar", one(dtype='"F4"', shape="[]", offs="[0,1]"), 1)
add("an empty name", '{"":' + A + "}", 4)
add("a name of letters beyond ASCII", '{"größe.重み":' + A + "}", 4)
add("a name with escapes", '{"a\\n\\t\\"\\\\\\/\\u00e9":' + A + "}", 4)
add("a name with a surrogate pair", '{"\\ud83d\\ude00":' + A + "}", 4)
add("a name with a lone leading surrogate", '{"\\ud83d":' + A + "}", 4)
add("a name with a lone trailing surrogate", '{"\\ude00":' + A + "}", 4)
add("a name with surrogates in the wrong order", '{"\\ude00\\ud83d":' + A + "}", 4)
add("a name with a raw control character", '{"a\n":' + A + "}", 4)
add("a name with an escaped zero", '{"a\\u0000":' + A + "}", 4)
add("a name with a raw DEL", '{"a\x7f":' + A + "}", 4)
add("a name with an unknown escape", '{"a\\x41":' + A + "}", 4)
add("a name with a short escape", '{"\\u00":' + A + "}", 4)
add("a name with a raw line separator", '{"a\u2028":' + A + "}", 4)
add("a metadata text with a lone surrogate", '{"__metadata__":{"x":"\\ud800"}}')
add("an extra field with a lone surrogate", one(extra=',"x":"\\ud800"'), 4)
add("the name __proto__", '{"__proto__":' + A + "}", 4)
add("the name constructor", '{"constructor":' + A + "}", 4)
add("the name prototype", '{"prototype":' + A + "}", 4)
add("the metadata name __proto__", '{"__metadata__":{"__proto__":"x"}}')
add("a name of 2000 characters", '{"' + "x" * 2000 + '":' + A + "}", 4)
add("a list", "[]")
add("null", "null")
add("a text", '"x"')
add("a number", "12")
add("text after the header", "{} x")
add("two objects", "{}{}")
add("a trailing comma", '{"a":' + A + ",}", 4)
add("a leading comma", '{,"a":' + A + "}", 4)
add("no colon", '{"a" ' + A + "}", 4)
add("no quotes", "{a:" + A + "}", 4)
add("a comment", "{/**/}")
add("unclosed", '{"a":' + A, 4)
add("capital True", '{"__metadata__":{"a":True}}')
add("a tensor of 64 axes", one(shape="[" + ",".join(["1"] * 64) + "]"), 4)
add("a tensor of 65 axes", one(shape="[" + ",".join(["1"] * 65) + "]"), 4)


def read(header, data_bytes):
    """dtype, shape and bytes of every tensor of a file; None where the reader refuses it."""
    encoded = header.encode("utf-8", "surrogatepass")
    try:
        tensors = safetensors.deserialize(struct.pack("<Q", len(encoded)) + encoded + bytes(data_bytes))
    except Exception:
        return None
    return {name: [entry["dtype"], entry["shape"], len(entry["data"])] for name, entry in tensors}


assert len({name for name, _, _ in CASES}) == len(CASES)
lines = [
    json.dumps({"name": name, "header": header, "dataBytes": data, "reads": read(header, data)})
    for name, header, data in CASES
]
version = importlib.metadata.version("safetensors")
print('{\n  "by": "safetensors %s of PyPI",\n  "cases": [\n    %s\n  ]\n}' % (version, ",\n    ".join(lines)))
