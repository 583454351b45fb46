# Writes further files of test/fixtures/pytorch: python write-pytorch-more.py DIRECTORY, with torch 2.15 and onnxscript.
import sys; OUT = sys.argv[1]
import torch, json
from torch import nn
torch.manual_seed(5)
class M(nn.Module):
    def __init__(s,f,**m):
        super().__init__(); s.f=f
        for k,v in m.items(): setattr(s,k,v)
    def forward(s,*a): return s.f(s,*a)
x=torch.randn(3,5,4); w=torch.randint(0,11,(3,5))
C={
'first':(M(lambda s,x:s.fc(s.r(x)[0][:,0]),r=nn.LSTM(4,6,batch_first=True),fc=nn.Linear(6,3)),(x,)),
'h0of2':(M(lambda s,x:s.fc(s.r(x)[1][0][0]),r=nn.LSTM(4,6,2,batch_first=True),fc=nn.Linear(6,3)),(x,)),
'two':(M(lambda s,x:s.fc(s.b(s.a(x)[0])[0][:,-1]),a=nn.LSTM(4,6,batch_first=True),b=nn.GRU(6,5,batch_first=True),fc=nn.Linear(5,3)),(x,)),
'resid':(M(lambda s,x:s.fc(s.a(x)[0]+x),a=nn.LSTM(4,4,batch_first=True),fc=nn.Linear(4,3)),(x,)),
'logsm':(M(lambda s,x:torch.log_softmax(s.fc(s.a(x)[0][:,-1]),-1),a=nn.LSTM(4,4,batch_first=True),fc=nn.Linear(4,3)),(x,)),
'mean':(M(lambda s,x:s.fc(s.a(x)[0].mean(1)),a=nn.LSTM(4,4,batch_first=True),fc=nn.Linear(4,3)),(x,)),
'const':(M(lambda s,x:s.fc(s.a(x,(torch.ones(1,3,4)*.5,torch.ones(1,3,4)))[0][:,-1]),a=nn.LSTM(4,4,batch_first=True),fc=nn.Linear(4,3)),(x,)),
'fcall':(M(lambda s,x:s.fc(s.a(x)[0])[:,-1],a=nn.GRU(4,6,batch_first=True,bidirectional=True),fc=nn.Linear(12,3)),(x,)),
'mlp':(M(lambda s,x:s.b(torch.relu(s.a(s.r(x)[0]))),r=nn.GRU(4,6,2,batch_first=True),a=nn.Linear(6,7),b=nn.Linear(7,3)),(x,)),
'pre':(M(lambda s,x:s.fc(s.r(torch.tanh(s.a(x)))[0][:,-1]),r=nn.LSTM(6,6,batch_first=True),a=nn.Linear(4,6),fc=nn.Linear(6,3)),(x,)),
'embbi':(M(lambda s,x:s.fc(torch.cat([s.r(s.e(x))[1][-2],s.r(s.e(x))[1][-1]],1)),r=nn.GRU(4,6,2,batch_first=True,bidirectional=True),e=nn.Embedding(11,4),fc=nn.Linear(12,3)),(w,)),
'lnall':(M(lambda s,x:s.fc(s.n(s.r(x)[0][:,-1])),r=nn.RNN(4,6,batch_first=True,nonlinearity='relu'),n=nn.LayerNorm(6),fc=nn.Linear(6,3)),(x,)),
't1':(M(lambda s,x:s.fc(s.r(x)[0][:,-1]),r=nn.RNN(4,6,batch_first=True),fc=nn.Linear(6,3)),(x[:,:1],)),
'b1':(M(lambda s,x:s.fc(s.r(x)[0][:,-1]),r=nn.LSTM(4,6,2,batch_first=True),fc=nn.Linear(6,3)),(x[:1],)),
'h1':(M(lambda s,x:s.fc(s.r(x)[0][:,-1]),r=nn.GRU(1,1,batch_first=True),fc=nn.Linear(1,1)),(torch.randn(1,1,1),)),
'fwdonly':(M(lambda s,x:s.fc(s.r(x)[0][:,-1,:6]),r=nn.GRU(4,6,batch_first=True,bidirectional=True),fc=nn.Linear(6,3)),(x,)),
'revlast':(M(lambda s,x:s.fc(s.r(x)[0][:,0,6:]),r=nn.GRU(4,6,batch_first=True,bidirectional=True),fc=nn.Linear(6,3)),(x,)),
'cnout':(M(lambda s,x:s.fc(s.r(x)[1][1][-1]),r=nn.LSTM(4,6,batch_first=True),fc=nn.Linear(6,3)),(x,)),
'bigh':(M(lambda s,x:s.fc(s.r(x)[0][:,-1]),r=nn.LSTM(4,5,3,batch_first=True),fc=nn.Linear(5,5)),(torch.randn(5,5,4),)),
'sq':(M(lambda s,x:s.fc(s.r(x)[0][:,-1]),r=nn.LSTM(5,5,2,batch_first=True,bidirectional=True),fc=nn.Linear(10,5)),(torch.randn(5,5,5),)),
}
out={}
for n,(m,a) in C.items():
    m.eval(); y=m(*a)
    for k in ('new','old'):
        try:
            f=f'{OUT}/{n}-{k}.onnx'
            if k=='new': torch.onnx.export(m,a,f,dynamo=True,verbose=False,external_data=False,**({'dynamic_shapes':None}))
            else: torch.onnx.export(m,a,f,dynamo=False,opset_version=18,input_names=['x'],dynamic_axes={'x':{0:'n',1:'t'}})
            out[f'{n}-{k}']={'inputs':{'x':{'shape':list(a[0].shape),'dtype':str(a[0].dtype),'data':a[0].flatten().tolist()}},'outputs':[{'shape':list(y.shape),'data':y.detach().flatten().tolist()}]}
        except Exception as e: print('FAIL',n,k,str(e)[:120])
# dynamic new exporter
m,a=C['mlp']; B=torch.export.Dim('b'); T=torch.export.Dim('t')
for n in ('two','mlp','pre'):
    m,a=C[n]
    try:
        torch.onnx.export(m,a,f'{OUT}/{n}-dyn.onnx',dynamo=True,verbose=False,external_data=False,dynamic_shapes=((({0:B,1:T},)),))
        y=m(*a); out[f'{n}-dyn']={'inputs':{'x':{'shape':list(a[0].shape),'dtype':'float32','data':a[0].flatten().tolist()}},'outputs':[{'shape':list(y.shape),'data':y.detach().flatten().tolist()}]}
    except Exception as e: print('FAIL dyn',n,str(e)[:200])
json.dump(out,open(f'{OUT}/expected.json','w'))
