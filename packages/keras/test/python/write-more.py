# Writes test/fixtures/more: python write-more.py 2 (tensorflow 2.15.1) or 3 (keras 3 and torch).
import os,sys; os.environ['TF_CPP_MIN_LOG_LEVEL']='3'
V=sys.argv[1]
if V=='3': os.environ['KERAS_BACKEND']='torch'; import keras
else:
    from tensorflow import keras
import numpy as np, json
L=keras.layers
keras.utils.set_random_seed(1); rng=np.random.default_rng(0)
x=rng.standard_normal((3,5,4)).astype('float32')
I=lambda s=(5,4): keras.Input(s)
def seq(*l, inp=(5,4)): return keras.Sequential([keras.Input(inp),*l])
M={}
M['names']=seq(L.LSTM(3,return_sequences=True,name='lstm_1'),L.LSTM(3,return_sequences=True,name='lstm'),L.LSTM(3,name='dense'),L.Dense(3,name='lstm_2'))
M['binames']=seq(L.Bidirectional(L.LSTM(3,return_sequences=True,name='a'),name='b'),L.Bidirectional(L.LSTM(3,return_sequences=True,name='a'),name='c'),L.LSTM(6,name='forward_a'),L.Dense(2))
i=I(); a=L.LSTM(4,return_sequences=True,name='z')(i); b=L.LSTM(4,name='y')(a); M['func']=keras.Model(i,L.Dense(2,activation='softmax')(b))
i=I(); sh=L.Dense(4); M['shared']=keras.Model(i,L.Dense(2)(L.LSTM(4)(sh(sh(i)))))
M['nested']=keras.Sequential([keras.Input((5,4)),keras.Sequential([keras.Input((5,4)),L.LSTM(4,return_sequences=True)]),L.LSTM(3),L.Dense(2)])
M['ln1']=seq(L.LSTM(4,return_sequences=True),L.LayerNormalization(axis=1),L.Dense(2))
M['lnlast']=seq(L.LSTM(4),L.LayerNormalization(center=False),L.Dense(2))
M['flat']=seq(L.LSTM(4,return_sequences=True),L.Flatten(),L.Dense(2))
M['goback']=seq(L.LSTM(4,go_backwards=True),L.Dense(2))
M['bisum']=seq(L.Bidirectional(L.GRU(4),merge_mode='sum'),L.Dense(2))
M['bigruB']=seq(L.Bidirectional(L.GRU(4,reset_after=False,return_sequences=True)),L.GlobalAveragePooling1D(),L.Dense(2))
M['dense_first']=seq(L.Dense(6,activation='tanh'),L.LSTM(4),L.Dense(2))
M['tdbi']=seq(L.TimeDistributed(L.Dense(3,activation='relu')),L.Bidirectional(L.SimpleRNN(4,return_sequences=True)),L.TimeDistributed(L.Dense(2,activation='softmax')))
M['maskseq']=seq(L.Masking(0.),L.LSTM(4,return_sequences=True),L.LSTM(3),L.Dense(2))
M['maskbi']=seq(L.Masking(0.),L.Bidirectional(L.LSTM(4)),L.Dense(2))
M['masklate']=seq(L.Dense(4),L.Masking(0.),L.LSTM(4),L.Dense(2))
M['maskval']=seq(L.Masking(-1.),L.GRU(4),L.Dense(2))
M['stateful']=keras.Sequential([keras.Input(batch_shape=(3,5,4)),L.LSTM(4,stateful=True),L.Dense(2)])
M['elu']=seq(L.LSTM(4,activation='elu'),L.Dense(2))
M['hs']=seq(L.GRU(4,recurrent_activation='hard_sigmoid'),L.Dense(2))
i=I(); y,h=L.GRU(4,return_state=True,return_sequences=True)(i); M['rs_h']=keras.Model(i,L.Dense(2)(h))
i=I(); y,h,c=L.LSTM(4,return_state=True)(i); M['rs_c']=keras.Model(i,L.Dense(2)(c))
i=I(); y,fh,fc,bh,bc=L.Bidirectional(L.LSTM(4,return_state=True))(i); M['bi_rs']=keras.Model(i,L.Dense(2)(fh))
i=I(); a=L.LSTM(4,return_sequences=True)(i); M['add']=keras.Model(i,L.Dense(2)(L.LSTM(4)(L.Add()([a,i]))))
i=I(); a=L.LSTM(4)(i); b=L.GRU(4)(i); M['concat']=keras.Model(i,L.Dense(2)(L.Concatenate()([a,b])))
i=I(); M['twoout']=keras.Model(i,[L.LSTM(4)(i),L.GRU(4)(i)])
i1=keras.Input((5,4),name='enc'); i2=keras.Input((5,4),name='dec'); y,h,c=L.LSTM(6,return_state=True)(i1); d=L.LSTM(6,return_sequences=True)(i2,initial_state=[h,c]); M['enc2']=keras.Model([i1,i2],L.Dense(2)(d))
i1=keras.Input((5,4),name='q'); s=keras.Input((6,),name='s'); M['instate']=keras.Model([i1,s],L.GRU(6)(i1,initial_state=s))
M['embmid']=keras.Sequential([keras.Input((5,)),L.Embedding(11,4),L.Dropout(.1),L.Bidirectional(L.LSTM(4)),L.Dropout(.2),L.Dense(3),L.Activation('sigmoid')])
try:
    M['f16']=seq(L.LSTM(4,dtype='mixed_float16'),L.Dense(2,dtype='float16'))
except Exception as e: print('f16',e)
res={}
for n,m in M.items():
    try:
        xi=x
        if n=='embmid': xi=rng.integers(0,11,(3,5)).astype('int32')
        if n in('maskseq','maskbi','masklate'): xi=x.copy(); xi[0,3:]=0; xi[2,1:]=0
        if n=='maskval': xi=x.copy(); xi[0,3:]=-1
        if n=='func':
            m.compile('adam','mse'); m.fit(x,np.zeros((3,2),'float32'),epochs=1,verbose=0)
        fed=xi
        if n=='enc2': fed=[x,x[:,::-1].copy()]
        if n=='instate': fed=[x,rng.standard_normal((3,6)).astype('float32')]
        yv=m.predict(fed,verbose=0)
        f=lambda v:{'shape':list(v.shape),'dtype':str(v.dtype),'data':np.asarray(v).astype('float64').flatten().tolist()}
        names=[t.name.split(':')[0] for t in m.inputs]
        res[n]={'x':[f(v) for v in (fed if isinstance(fed,list) else [fed])],'names':names,'y':[f(np.asarray(v)) for v in (yv if isinstance(yv,(list,tuple)) else [yv])]}
        m.save(f'more/{n}-{V}.keras')
        if V=='2': m.save(f'more/{n}-{V}.h5')
        else: m.save(f'more/{n}-{V}.h5')
    except Exception as e: print('FAIL',n,type(e).__name__,str(e)[:150])
json.dump(res,open(f'more/expected-{V}.json','w'))
