# Writes test/fixtures/pytorch: python write-pytorch.py DIRECTORY, with torch 2.15, onnxscript and onnxruntime.
import json, os, sys
import onnx, torch
from torch import nn
OUT = sys.argv[1]
torch.manual_seed(3)
class States(nn.Module):
    def __init__(s, cell=nn.LSTM, **k):
        super().__init__(); s.rnn=cell(4,6,2,batch_first=True,**k); s.fc=nn.Linear(6*(2 if k.get('bidirectional') else 1),3)
    def forward(s,x,*st):
        o,h=s.rnn(x,st if len(st)==2 else st[0]); h = h if isinstance(h,tuple) else (h,)
        return (s.fc(o),*h)
class LM(nn.Module):
    def __init__(s):
        super().__init__(); s.emb=nn.Embedding(11,5,padding_idx=0); s.lstm=nn.LSTM(5,6,2,batch_first=True); s.norm=nn.LayerNorm(6); s.fc=nn.Linear(6,11)
    def forward(s,x): return s.fc(s.norm(s.lstm(s.emb(x))[0]))
class Cat(nn.Module):
    def __init__(s, cell=nn.GRU, **k):
        super().__init__(); s.rnn=cell(4,6,1,batch_first=True,bidirectional=True,**k); s.fc1=nn.Linear(12,5); s.fc2=nn.Linear(5,3)
    def forward(s,x):
        _,h=s.rnn(x); h = h[0] if isinstance(h,tuple) else h
        return torch.softmax(s.fc2(torch.tanh(s.fc1(torch.cat([h[-2],h[-1]],1)))),-1)
class Hn(nn.Module):
    def __init__(s, cell=nn.LSTM):
        super().__init__(); s.rnn=cell(4,6,2,batch_first=True); s.fc=nn.Linear(6,3)
    def forward(s,x):
        _,h=s.rnn(x); h=h[0] if isinstance(h,tuple) else h
        return s.fc(h[-1])
class Bare(nn.Module):
    def __init__(s, cell=nn.LSTM, **k):
        super().__init__(); s.rnn=cell(4,6,**k)
    def forward(s,x): return s.rnn(x)
class Relu(nn.Module):
    def __init__(s):
        super().__init__(); s.rnn=nn.RNN(4,6,2,nonlinearity='relu',batch_first=True,bidirectional=True); s.fc=nn.Linear(12,3)
    def forward(s,x): return s.fc(torch.relu(s.rnn(x)[0][:,-1]))
class Packed(nn.Module):
    def __init__(s):
        super().__init__(); s.rnn=nn.LSTM(4,6,batch_first=True); s.fc=nn.Linear(6,3)
    def forward(s,x,l):
        p=nn.utils.rnn.pack_padded_sequence(x,l,batch_first=True,enforce_sorted=False)
        _,(h,c)=s.rnn(p); return s.fc(h[-1])
x=torch.randn(3,5,4)
cases={
 'states-lstm':(States(),(x,torch.randn(2,3,6),torch.randn(2,3,6))),
 'states-gru-bi':(States(nn.GRU,bidirectional=True),(x,torch.randn(4,3,6))),
 'lm':(LM(),(torch.randint(0,11,(3,5)),)),
 'cat-gru':(Cat(),(x,)),
 'cat-lstm':(Cat(nn.LSTM),(x,)),
 'hn-lstm':(Hn(),(x,)),'hn-gru':(Hn(nn.GRU),(x,)),
 'hn-rnn':(Hn(nn.RNN),(x,)),
 'bare-lstm':(Bare(batch_first=True),(x,)),
 'bare-lstm-tnc':(Bare(num_layers=2,bidirectional=True),(x.transpose(0,1).contiguous(),)),
 'nobias-gru':(Bare(nn.GRU,bias=False,batch_first=True),(x,)),
 'relu-bi':(Relu(),(x,)),
}
out={}
for name,(m,args) in cases.items():
    m.eval()
    y=m(*args); 
    def flat(v):
        r=[]
        for t in (v if isinstance(v,(tuple,list)) else [v]):
            r+= flat(t) if isinstance(t,(tuple,list)) else [t]
        return r
    for kind in ['new','old']:
        f=f'{OUT}/{name}-{kind}.onnx'
        try:
            if kind=='new': torch.onnx.export(m,args,f,dynamo=True,verbose=False,external_data=False)
            else:
                names=['x']+[f's{i}' for i in range(len(args)-1)]
                torch.onnx.export(m,args,f,dynamo=False,opset_version=17,input_names=names,dynamic_axes={'x':{0:'n',1:'t'}})
            import onnxruntime as ort
            s=ort.InferenceSession(f,providers=['CPUExecutionProvider'])
            got=s.run(None,{i.name:a.numpy() for i,a in zip(s.get_inputs(),args)})
            out[f'{name}-{kind}']={'inputs':{i.name:{'shape':list(a.shape),'dtype':str(a.dtype),'data':a.flatten().tolist()} for i,a in zip(s.get_inputs(),args)},'outputs':[{'shape':list(t.shape),'data':t.detach().flatten().tolist()} for t in flat(y)]}
            print('ok',name,kind)
        except Exception as e: print('FAIL',name,kind,type(e).__name__,str(e)[:150])
json.dump(out,open(f'{OUT}/expected.json','w'))
