# Writes more of test/fixtures/pytorch/refused, and test/fixtures/more with what PyTorch puts out: python write-more.py FIXTURES,
# with PyTorch 2.15 and onnx.
import json
import sys
import onnx
import torch
from onnx import TensorProto, helper
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence as pack, pad_packed_sequence as pad

OUT = sys.argv[1]
torch.manual_seed(0)
x, h0 = torch.randn(2, 5, 4), torch.randn(2, 2, 6)
lengths = torch.tensor([5, 3])


class Model(nn.Module):
    def __init__(self, forward, **layers):
        super().__init__()
        self.own = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *inputs):
        return self.own(self, *inputs)


def write(path, model, inputs, isNewer=True, isFree=True, outputs=None):
    model.eval()
    names = [('x', 'h', 'z')[k] for k in range(len(inputs))]
    options = {'input_names': names, 'output_names': outputs}
    file = f'{OUT}/{path}.onnx'
    if isNewer:
        free = [{0: torch.export.Dim('n'), 1: torch.export.Dim('t')}] + [None] * (len(inputs) - 1) if isFree else None
        torch.onnx.export(model, inputs, file, dynamo=True, external_data=False, dynamic_shapes=(tuple(free),) if free else None, **options)
    else:
        torch.onnx.export(model, inputs, file, dynamo=False, opset_version=17, dynamic_axes={'x': {0: 'n', 1: 't'}}, **options)
    # Without the paths of this file in it.
    saved = onnx.load(file)
    for node in saved.graph.node:
        del node.metadata_props[:]
        node.doc_string = ''
    onnx.save(saved, file)
    y = model(*inputs)
    f = lambda v: {'shape': list(v.shape), 'dtype': str(v.dtype), 'data': v.detach().flatten().tolist()}
    return {'inputs': dict(zip(names, map(f, inputs))), 'outputs': [f(v) for v in (y if isinstance(y, tuple) else (y,))]}


lstm, gru, fc = nn.LSTM(4, 6, batch_first=True), nn.GRU(4, 6, batch_first=True), nn.Linear(6, 4)
packed = lambda s, x, n: pad(s.a(pack(x, n, batch_first=True))[0], batch_first=True)[0]
refused = {
    # onnxruntime refuses it: the initial cell state has 6 units, the other numbers are those of 3.
    'proj-new': (Model(lambda s, x: s.a(x)[0], a=nn.LSTM(4, 6, proj_size=3, batch_first=True)), (x,), True, False),
    'packed-last-old': (Model(lambda s, x, n: s.fc(packed(s, x, n)[:, -1]), a=lstm, fc=fc), (x, lengths), False),
    'packed-then-plain-old': (Model(lambda s, x, n: s.b(packed(s, x, n))[1][-1], a=lstm, b=nn.GRU(6, 6, batch_first=True)), (x, lengths), False),
    'view-swapped-new': (Model(lambda s, x: s.a(x.view(x.size(1), x.size(0), -1))[0], a=nn.LSTM(4, 6)), (x,)),
    'view-windows-old': (Model(lambda s, x: s.a(x.view(-1, 5, 4))[1][0][-1], a=lstm), (x,), False),
    'flat-swapped-new': (Model(lambda s, x: s.fc(s.a(x)[0].reshape(-1, 6)).view(x.size(1), x.size(0), -1), a=gru, fc=fc), (x,)),
    'flat-halves-new': (Model(lambda s, x: s.fc(s.a(x)[0].reshape(-1, 6)).view(x.size(0), x.size(1) * 2, 2), a=gru, fc=fc), (x,)),
    'state-transposed-old': (Model(lambda s, x, h: s.a(x, h.transpose(0, 1))[0], a=nn.GRU(4, 6, 2, batch_first=True)), (x, h0), False),
    'expanded-new': (Model(lambda s, x: s.a(x.expand(-1, 5, -1))[0], a=gru), (x[:, :1],), True, False),
    'unsqueezed-new': (Model(lambda s, x: s.a(x)[1][-1].unsqueeze(1), a=gru), (x,)),
    'transposed-new': (Model(lambda s, x: torch.tanh(s.fc(x)).transpose(0, 1), fc=nn.Linear(4, 3)), (x,)),
}
for name, arguments in refused.items():
    write(f'pytorch/refused/{name}', *arguments)

# Before opset 13 the default axis was 1, and all axes from it on were one.
info = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ['n', 't', 4])
nodes = [helper.make_node('Tanh', ['x'], ['h']), helper.make_node('Softmax', ['h'], ['y'])]
graph = helper.make_graph(nodes, 'softmax', [info('x')], [info('y')])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 11)], ir_version=6)
onnx.save(model, f'{OUT}/pytorch/refused/softmax-11.onnx')

# Weights of more than 8192 numbers are put in order by the graph.
big = torch.randn(2, 3, 28)
two = Model(lambda s, x, h, z: (lambda a, b: (s.fc(b[0]), a[1], b[1]))(*(lambda a: (a, s.b(a[0], z)))(s.a(x, h))), a=gru, b=nn.GRU(6, 6, batch_first=True), fc=fc)
heads = Model(lambda s, x: (lambda h: (s.fc(h), s.b(h)))(s.a(x)[0]), a=gru, fc=fc, b=nn.Linear(6, 3))
read = {
    'large-lstm-new': (Model(lambda s, x: s.fc(s.a(x)[0][:, -1]), a=nn.LSTM(28, 52, batch_first=True), fc=nn.Linear(52, 3)), (big,)),
    'large-gru-new': (Model(lambda s, x: s.a(x)[1][-1], a=nn.GRU(28, 56, batch_first=True)), (big,)),
    'large-rnn-new': (Model(lambda s, x: s.a(x)[0], a=nn.RNN(28, 92, batch_first=True)), (big,), True, False),
    'two-states-old': (two, (x, torch.randn(1, 2, 6), torch.randn(1, 2, 6)), False),
    'two-heads-new': (heads, (x,), True, True, ['logits', 'output']),
    'numbers-old': (heads, (x,), False),
    'rnn-tnc-new': (Model(lambda s, x: s.fc(s.a(x)[0]), a=nn.RNN(4, 6), fc=fc), (x,), True, False),
    'mean-new': (Model(lambda s, x: s.fc(s.a(x)[0].mean(-2)), a=gru, fc=fc), (x,)),
}
json.dump({name: write(f'more/{name}', *arguments) for name, arguments in read.items()}, open(f'{OUT}/more/expected.json', 'w'))
