# Writes test/fixtures/keras2, and the .onnx files of packages/onnx/test/fixtures/tf2onnx: python write-keras2.py DIRECTORY, with tensorflow 2.15.1, onnx 1.16 and tf2onnx 1.16.
import sys; OUT = sys.argv[1]
import os; os.environ['TF_CPP_MIN_LOG_LEVEL']='3'
import numpy as np, json, tf2onnx, tensorflow as tf, onnx
from tensorflow import keras
from keras import layers as L
keras.utils.set_random_seed(1)
rng=np.random.default_rng(0)
x=rng.standard_normal((3,5,4)).astype('float32')
def seq(*l, inp=(5,4)): return keras.Sequential([keras.Input(inp),*l])
M={
 'lstm': seq(L.LSTM(6),L.Dense(3)),
 'lstm2': seq(L.LSTM(6,return_sequences=True),L.Dropout(.3),L.LSTM(5),L.Dense(3,activation='softmax')),
 'gru': seq(L.GRU(6),L.Dense(3)),
 'gru_before': seq(L.GRU(6,reset_after=False,return_sequences=True),L.Dense(3)),
 'bi': seq(L.Bidirectional(L.LSTM(6,return_sequences=True)),L.Bidirectional(L.GRU(5)),L.Dense(4,activation='relu'),L.Dense(2)),
 'rnn': seq(L.SimpleRNN(6,return_sequences=True),L.SimpleRNN(4,activation='relu'),L.Dense(3,activation='sigmoid')),
 'hard': seq(L.LSTM(6,recurrent_activation='hard_sigmoid'),L.Dense(3)),
 'nobias': seq(L.LSTM(6,use_bias=False),L.Dense(3,use_bias=False)),
 'td': seq(L.LSTM(6,return_sequences=True),L.TimeDistributed(L.Dense(3)),L.LayerNormalization()),
}
emb=keras.Sequential([keras.Input((5,)),L.Embedding(11,4,mask_zero=False),L.LSTM(6),L.Dense(3)])
M['emb']=emb
M['masked']=seq(L.Masking(0.),L.LSTM(6),L.Dense(3))
M['embmask']=keras.Sequential([keras.Input((5,)),L.Embedding(11,4,mask_zero=True),L.GRU(6),L.Dense(3)])
i=keras.Input((5,4)); y,h,c=L.LSTM(6,return_state=True)(i); d=L.LSTM(6,return_sequences=True)(i,initial_state=[h,c]); M['encdec']=keras.Model(i,L.Dense(2)(d))
res={}
for n,m in M.items():
    xi=x
    if n in('emb','embmask'): xi=np.array([[1,2,3,0,0],[4,5,6,7,8],[9,10,0,0,0]],dtype='int32')
    if n=='masked': xi=x.copy(); xi[0,3:]=0; xi[2,1:]=0
    for w in m.weights: w.assign(w+rng.standard_normal(w.shape).astype('float32')*.1)
    yv=m.predict(xi,verbose=0)
    res[n]={'x':{'shape':list(xi.shape),'dtype':str(xi.dtype),'data':xi.flatten().tolist()},'y':{'shape':list(yv.shape),'data':yv.flatten().tolist()}}
    m.save(f'{OUT}/k_{n}.h5'); m.save(f'{OUT}/k_{n}.keras')
    try:
        spec=(tf.TensorSpec((None,)+m.input_shape[1:],tf.int32 if n.startswith('emb') else tf.float32,name='x'),)
        for o in (15,):
            p,_=tf2onnx.convert.from_keras(m,input_signature=spec,opset=17,output_path=f'{OUT}/k_{n}.onnx')
        print('ok',n,sorted(set(k.op_type for k in p.graph.node)))
    except Exception as e: print('FAIL',n,str(e)[:200])
json.dump(res,open(f'{OUT}/k_expected.json','w'))
