# Writes what newcomers' models had: test/fixtures/pytorch/refused/*-rounded.onnx and so on, and test/fixtures/more/gemm-one.onnx with what
# onnxruntime computes: python write-rounded.py FIXTURES, with PyTorch 2.15, onnx and onnxruntime.
import json
import os
import sys
import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

OUT = sys.argv[1]
torch.manual_seed(0)


class Model(nn.Module):
    def __init__(self, forward, **layers):
        super().__init__()
        self.own = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.own(self, x)


def write(path, model, x, isNewer):
    model.eval()
    file = f'{OUT}/{path}.onnx'
    options = {'external_data': False} if isNewer else {'opset_version': 17}
    torch.onnx.export(model, (x,), file, dynamo=isNewer, input_names=['x'], **options)
    # Without the paths of this file in it.
    saved = onnx.load(file)
    for node in saved.graph.node:
        del node.metadata_props[:]
        node.doc_string = ''
    del saved.graph.metadata_props[:]
    for value in [*saved.graph.value_info, *saved.graph.input, *saved.graph.output]:
        del value.metadata_props[:]
    onnx.save(saved, file)


def some_steps(s, x):
    u = s.i(x)
    h = torch.tanh(s.c + u[0])
    for t in (1, 2):
        h = torch.tanh(s.h(h) + s.c + u[t])
    return s.fc(h)


x, fc = torch.randn(2, 5, 3) * 3, nn.Linear(4, 2)
lstm = nn.LSTM(3, 4, batch_first=True)
some = Model(some_steps, i=nn.Linear(3, 4), h=nn.Linear(4, 4, bias=False), fc=fc)
some.c = nn.Parameter(torch.randn(4))
refused = {
    'axes-rnn-new': (Model(lambda s, x: s.fc(s.b(s.a(x)[0])[0]), a=nn.RNN(3, 4), b=nn.RNN(4, 4, batch_first=True), fc=fc), torch.randn(5, 2, 3), True),
    'some-steps-old': (some, torch.randn(5, 2, 3), False),
    'int8-rounded-old': (Model(lambda s, x: s.fc(s.a(x.to(torch.int8).float())[0]), a=lstm, fc=fc), x, False),
    'bool-rounded-new': (Model(lambda s, x: s.fc(s.a(x.bool().float())[0]), a=lstm, fc=fc), x, True),
    'half-rounded-old': (Model(lambda s, x: s.fc(s.a(x.half().float())[0]), a=lstm, fc=fc), x, False),
}
for name, (model, inputs, isNewer) in refused.items():
    write(f'pytorch/refused/{name}', model, inputs, isNewer)

rng = np.random.default_rng(0)
draw = lambda *shape: rng.uniform(-0.5, 0.5, shape).astype(np.float32)


def lstm_model(path, nodes, constants, output, inputs=()):
    weights = {'W': draw(1, 16, 3), 'R': draw(1, 16, 4), 'B': draw(1, 32), **constants}
    read = ['x', 'W', 'R', 'B'] + [name for name, _ in inputs]
    graph = helper.make_graph(
        [helper.make_node('LSTM', read, ['', 'h'], hidden_size=4), helper.make_node('Squeeze', ['h', 'axes'], ['last']), *nodes],
        'g',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, [5, 2, 3])] + [helper.make_tensor_value_info(name, TensorProto.INT32, shape) for name, shape in inputs],
        [helper.make_tensor_value_info('y', TensorProto.FLOAT, output)],
        [numpy_helper.from_array(value, name) for name, value in {**weights, 'axes': np.array([0])}.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8), f'{OUT}/{path}.onnx')


lstm_model('pytorch/refused/drops', [helper.make_node('Dropout', ['last', 'p', 'on'], ['y'])], {'p': np.array(0.5, np.float32), 'on': np.array(True)}, [2, 4])
lstm_model('pytorch/nan-weights', [helper.make_node('Gemm', ['last', 'V', 'v'], ['y'])], {'V': np.full((4, 3), np.nan, np.float32), 'v': draw(3)}, [2, 3])
gemm = [helper.make_node('Gemm', ['last', 'V', 'v'], ['y'])]
lstm_model('more/gemm-one', gemm, {'V': draw(4, 3), 'v': draw(1)}, [2, 3])
lstm_model('pytorch/told-lengths', gemm, {'V': draw(4, 3), 'v': draw(1, 3)}, [2, 3], [('seq', [2])])

given = draw(5, 2, 3)
(y,) = onnxruntime.InferenceSession(f'{OUT}/more/gemm-one.onnx').run(None, {'x': given})
with open(f'{OUT}/more/expected.json') as file:
    expected = json.load(file)
numbers = lambda v: {'shape': list(v.shape), 'dtype': 'torch.float32', 'data': v.flatten().tolist()}
# The file reads the steps first, the test gives them so.
expected['gemm-one-tnc'] = {'inputs': {'x': numbers(given)}, 'outputs': [numbers(y)]}
with open(f'{OUT}/more/expected.json', 'w') as file:
    json.dump(expected, file)

os.rename(f'{OUT}/more/gemm-one.onnx', f'{OUT}/more/gemm-one-tnc.onnx')
