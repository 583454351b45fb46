# Writes test/fixtures/functional: python write-functional.py DIRECTORY 2 (tensorflow 2.15.1) or 3 (keras 3 and torch).
import os, sys
OUT, V = sys.argv[1:]
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
if V == '3':
    os.environ['KERAS_BACKEND'] = 'torch'
    import keras
else:
    from tensorflow import keras
import json
import numpy as np

L = keras.layers
keras.utils.set_random_seed(1)
rng = np.random.default_rng(0)
x = rng.standard_normal((3, 5, 4)).astype('float32')
padded = x.copy()
padded[0, 3:] = 0
padded[2, 1:] = 0
indices = np.array([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8], [9, 10, 0, 0, 0]], dtype='int32')


def put(name, model, fed):
    for weight in model.trainable_weights:
        weight.assign(np.asarray(weight.numpy() if V == '2' else keras.ops.convert_to_numpy(weight)) + .1 * rng.standard_normal(weight.shape).astype('float32'))
    y = model.predict(fed, verbose=0)
    y = np.asarray(y['y'] if isinstance(y, dict) else y)
    fed = list(fed.values()) if isinstance(fed, dict) else fed
    f = lambda v: {'shape': list(v.shape), 'dtype': str(v.dtype), 'data': v.astype('float64').flatten().tolist()}
    model.save(f'{OUT}/{name}')
    expected[name] = {'names': [t.name.split(':')[0] for t in model.inputs], 'x': [f(v) for v in (fed if isinstance(fed, list) else [fed])], 'y': [f(y)]}


path = f'{OUT}/expected.json'
expected = json.load(open(path)) if os.path.exists(path) else {}

i = keras.Input((5, 4), name='x')
h = L.LSTM(3, return_sequences=True)(L.Masking()(i))
put(f'masking-{V}.keras', keras.Model(i, L.Dense(2)(L.GRU(3)(h))), padded)
i = keras.Input((5,), name='x', dtype='int32')
h = L.Bidirectional(L.LSTM(3, return_sequences=True))(L.Embedding(11, 4, mask_zero=True)(i))
put(f'mean-{V}.keras', keras.Model(i, L.Dense(2)(L.GlobalAveragePooling1D()(L.TimeDistributed(L.Dense(3))(L.Dropout(.1)(h))))), indices)
i = keras.Input((5, 4), name='x')
y, h, c = L.LSTM(3, return_state=True)(i)
y = L.LSTM(3, return_sequences=True)(L.Activation('linear')(i), initial_state=[h, c])
put(f'linear-{V}.keras', keras.Model(i, L.Activation('linear')(L.Dense(2)(y))), x)
put(f'forward-{V}.h5', keras.Sequential([keras.Input((5, 4), name='x'), L.Bidirectional(L.LSTM(3, name='backward_a'), name='forward_b'), L.Dense(2)]), x)
put(f'wide-{V}.keras', keras.Sequential([keras.Input((2, 5), name='x'), L.Embedding(11, 4), L.LayerNormalization(axis=3), L.Dense(2)]), indices[:2, None].repeat(2, 1))

words = np.array([[0, 0, 1, 2, 3], [4, 5, 6, 7, 8], [9, 0, 10, 0, 0]], dtype='int32')
h = [L.Embedding(11, 4, mask_zero=True), L.SpatialDropout1D(.3), L.Bidirectional(L.LSTM(3)), L.Dense(2)]
put(f'front-{V}.keras', keras.Sequential([keras.Input((5,), name='x', dtype='uint8'), *h]), words.astype('uint8'))
i = keras.Input((5, 4), name='x')
put(f'dict-{V}.keras', keras.Model({'x': i}, {'y': L.Dense(2)(L.LSTM(3)(i))}), {'x': x})
rev = L.LSTM(3, go_backwards=True, name='rev')
put(f'rev-{V}.h5', keras.Sequential([keras.Input((5, 4), name='x'), L.Bidirectional(L.LSTM(3), backward_layer=rev), L.Dense(2)]), x)
if V == '2':
    put('slash-2.h5', keras.Sequential([keras.Input((5, 4), name='x'), L.LSTM(3, name='enc/lstm'), L.Dense(2)]), x)

if V == '3':
    ones = keras.ops.ones((1, 3))
    i, s = keras.Input((5, 4), name='x'), keras.Input((3,), name='s')
    put('constant-3.keras', keras.Model([i, s], L.LSTM(3)(i, initial_state=[s, ones])), [x, x[:, 0, :3].copy()])
    i = keras.Input((5, 4), name='x')
    put('positional-3.keras', keras.Model(i, L.LSTM(3)(i, [ones, ones])), x)
    put('rms-3.keras', keras.Sequential([keras.Input((5, 4), name='x'), L.LayerNormalization(rms_scaling=True)]), x)
    i = keras.Input((5, 4), name='x')
    mask = keras.ops.any(keras.ops.not_equal(i, 1.5), axis=-1)
    put('mask-3.keras', keras.Model(i, L.LSTM(3)(i, mask=mask)), x)


@keras.utils.register_keras_serializable('mine')
class LSTM(L.LSTM):
    def call(self, sequences, initial_state=None, **options):
        return -super().call(sequences, initial_state, **options)


put(f'registered-{V}.keras', keras.Sequential([keras.Input((5, 4), name='x'), LSTM(3)]), x)


class GRU(L.GRU):
    def call(self, sequences, initial_state=None, **options):
        return -super().call(sequences, initial_state, **options)


put(f'own-{V}.keras', keras.Sequential([keras.Input((5, 4), name='x'), GRU(3)]), x)
json.dump(expected, open(path, 'w'))
