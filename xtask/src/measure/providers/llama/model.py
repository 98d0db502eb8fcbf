"""Writes a tiny random model of the llama architecture as GGUF.

usage: python model.py FILE

What it says is noise, on purpose: a measure needs a server that counts, stops and refuses, not one that is right. A token
is one character, so that a text says how many tokens it is.
"""

import sys

import gguf
import numpy

WIDTH, HEADS, LAYERS, INNER = 32, 2, 2, 64
# The longest that the server may be told to take.
CONTEXT = 16384
# One dimension of the embedding is the same for all tokens and so stands for a bias, which the architecture has not.
BIAS = 4.0
TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>\n{{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)

writer = gguf.GGUFWriter(sys.argv[1], "llama")
random = numpy.random.default_rng(20260101)

kinds = gguf.TokenType
tokens = [("<unk>", kinds.UNKNOWN), ("<s>", kinds.CONTROL), ("</s>", kinds.CONTROL)]
tokens += [(f"<0x{byte:02X}>", kinds.BYTE) for byte in range(256)]
# The tokenizer's word for a space is U+2581.
said = ["\u2581", *(chr(code) for code in range(33, 127)), "\u00e9", "\U0001f600"]
tokens += [(character, kinds.NORMAL) for character in said]

writer.add_context_length(CONTEXT)
writer.add_embedding_length(WIDTH)
writer.add_block_count(LAYERS)
writer.add_feed_forward_length(INNER)
writer.add_head_count(HEADS)
writer.add_head_count_kv(HEADS)
writer.add_layer_norm_rms_eps(1e-5)
writer.add_rope_dimension_count(WIDTH // HEADS)
writer.add_vocab_size(len(tokens))
writer.add_tokenizer_model("llama")
writer.add_token_list([text.encode() for text, _ in tokens])
writer.add_token_scores([0.0] * len(tokens))
writer.add_token_types([int(kind) for _, kind in tokens])
writer.add_unk_token_id(0)
writer.add_bos_token_id(1)
writer.add_eos_token_id(2)
writer.add_add_bos_token(True)
writer.add_add_eos_token(False)
writer.add_add_space_prefix(False)
writer.add_chat_template(TEMPLATE)


def weights(*shape):
    return random.normal(0.0, 0.05, shape).astype(numpy.float32)


embeddings = weights(len(tokens), WIDTH)
embeddings[:, 0] = BIAS
writer.add_tensor("token_embd.weight", embeddings)
for layer in range(LAYERS):
    name = f"blk.{layer}"
    for norm in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"{name}.{norm}.weight", numpy.ones(WIDTH, numpy.float32))
    for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
        writer.add_tensor(f"{name}.{part}.weight", weights(WIDTH, WIDTH))
    writer.add_tensor(f"{name}.ffn_gate.weight", weights(INNER, WIDTH))
    writer.add_tensor(f"{name}.ffn_up.weight", weights(INNER, WIDTH))
    writer.add_tensor(f"{name}.ffn_down.weight", weights(WIDTH, INNER))
writer.add_tensor("output_norm.weight", numpy.ones(WIDTH, numpy.float32))
out = weights(len(tokens), WIDTH)
# It says characters, and once in some two hundred times that it is done; never a byte of one.
out[:, 0] = [0.0 if kind == kinds.NORMAL else -BIAS for _, kind in tokens]
out[2, 0] = -0.12
writer.add_tensor("output.weight", out)

writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
