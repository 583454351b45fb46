# Writes test/fixtures/keras3: python write-keras3.py DIRECTORY, with keras 3 and torch.
import os; os.environ['KERAS_BACKEND']='torch'
import numpy as np, json, keras, sys
from keras import layers as L
OUT=sys.argv[1]
keras.utils.set_random_seed(1)
rng=np.random.default_rng(0)
x=rng.standard_normal((3,5,4)).astype('float32')
def seq(*l, inp=(5,4)): return keras.Sequential([keras.Input(inp),*l])
i=keras.Input((5,4)); y,h,c=L.LSTM(6,return_state=True)(i); d=L.LSTM(6,return_sequences=True)(i,initial_state=[h,c])
M={'lstm2': seq(L.LSTM(6,return_sequences=True),L.Dropout(.3),L.LSTM(5),L.Dense(3,activation='softmax')),
 'gru': seq(L.GRU(6),L.Dense(3)),
 'gru_before': seq(L.GRU(6,reset_after=False,return_sequences=True),L.Dense(3)),
 'bi': seq(L.Bidirectional(L.LSTM(6,return_sequences=True)),L.Bidirectional(L.GRU(5)),L.Dense(4,activation='relu'),L.Dense(2)),
 'rnn': seq(L.SimpleRNN(6,return_sequences=True),L.SimpleRNN(4,activation='relu'),L.Dense(3,activation='sigmoid')),
 'td': seq(L.LSTM(6,return_sequences=True),L.TimeDistributed(L.Dense(3)),L.LayerNormalization()),
 'embmask': keras.Sequential([keras.Input((5,)),L.Embedding(11,4,mask_zero=True),L.GRU(6),L.Dense(3)]),
 'masked': seq(L.Masking(0.),L.LSTM(6),L.Dense(3)),
 'encdec': keras.Model(i,L.Dense(2)(d))}
res={}
for n,m in M.items():
    xi=x
    if n=='embmask': xi=np.array([[1,2,3,0,0],[4,5,6,7,8],[9,10,0,0,0]],dtype='int32')
    if n=='masked': xi=x.copy(); xi[0,3:]=0; xi[2,1:]=0
    for w in m.weights:
        if 'seed' in w.path: continue
        w.assign(np.asarray(w.detach().cpu() if hasattr(w,'detach') else w.numpy())+rng.standard_normal(w.shape).astype('float32')*.1)
    yv=np.asarray(m.predict(xi,verbose=0))
    res[n]={'x':{'shape':list(xi.shape),'dtype':str(xi.dtype),'data':xi.flatten().tolist()},'y':{'shape':list(yv.shape),'data':yv.flatten().tolist()}}
    m.save(f'{OUT}/{n}.keras')
json.dump(res,open(f'{OUT}/expected.json','w'))
