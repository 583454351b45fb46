# Writes more of test/fixtures/pytorch/refused: python write-refused.py DIRECTORY, with PyTorch 2.15 and onnx.
import sys
import onnx
import torch
from onnx import TensorProto, helper
from torch import nn

OUT = sys.argv[1]
torch.manual_seed(0)
x = torch.randn(2, 5, 4)


class Projected(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 6, proj_size=3, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0]


# onnxruntime refuses it: the initial cell state has 6 units, the other numbers are those of 3.
torch.onnx.export(Projected().eval(), (x,), f'{OUT}/proj-new.onnx', dynamo=True, input_names=['x'], external_data=False)

# Before opset 13 the default axis was 1, and all axes from it on were one.
info = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ['n', 't', 4])
nodes = [helper.make_node('Tanh', ['x'], ['h']), helper.make_node('Softmax', ['h'], ['y'])]
graph = helper.make_graph(nodes, 'softmax', [info('x')], [info('y')])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 11)], ir_version=6), f'{OUT}/softmax-11.onnx')
