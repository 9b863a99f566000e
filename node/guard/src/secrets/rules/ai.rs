//! Models and what runs them.

use crate::secrets::alphabet::{ALNUM, DIGITS, HEX, LOWER, NAME, URL64, UUID};
use crate::secrets::rule::{Rule, exactly, from_to, text};

pub const RULES: &[Rule] = &[
    Rule::new(
        "openai",
        "OpenAI",
        "an OpenAI API key",
        &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"],
        &[from_to(URL64, 40, 255)],
    ),
    Rule::new(
        "openai-legacy",
        "OpenAI",
        "an OpenAI API key",
        &["sk-"],
        &[exactly(ALNUM, 20), text("T3BlbkFJ"), exactly(ALNUM, 20)],
    )
    .alone(),
    Rule::new("openai-like", "DeepSeek", "an API key of a model provider", &["sk-"], &[from_to(ALNUM, 32, 64)])
        .entropy(3.3)
        .alone(),
    Rule::new(
        "anthropic",
        "Anthropic",
        "an Anthropic key",
        &["sk-ant-api", "sk-ant-admin", "sk-ant-oat", "sk-ant-ort", "sk-ant-sid"],
        &[exactly(DIGITS, 2), text("-"), from_to(URL64, 60, 200)],
    ),
    Rule::new("hugging-face", "Hugging Face", "a Hugging Face token", &["hf_", "api_org_"], &[exactly(ALNUM, 34)])
        .entropy(3.4)
        .alone(),
    Rule::new("replicate", "Replicate", "a Replicate token", &["r8_"], &[from_to(ALNUM, 36, 40)]).alone(),
    Rule::new("groq", "Groq", "a Groq API key", &["gsk_"], &[from_to(ALNUM, 48, 56)]),
    Rule::new("perplexity", "Perplexity", "a Perplexity API key", &["pplx-"], &[from_to(ALNUM, 40, 64)]),
    Rule::new("xai", "xAI", "an xAI API key", &["xai-"], &[from_to(ALNUM, 70, 90)]),
    Rule::new("openrouter", "OpenRouter", "an OpenRouter API key", &["sk-or-v1-"], &[exactly(HEX, 64)]),
    Rule::new("fireworks", "Fireworks", "a Fireworks API key", &["fw_"], &[from_to(ALNUM, 22, 26)])
        .entropy(3.6)
        .alone(),
    Rule::new("cerebras", "Cerebras", "a Cerebras API key", &["csk-"], &[from_to(LOWER, 40, 56)]),
    Rule::new("nvidia", "NVIDIA", "an NVIDIA API key", &["nvapi-"], &[from_to(URL64, 60, 72)]),
    Rule::new(
        "langsmith",
        "LangChain",
        "a LangSmith key",
        &["lsv2_pt_", "lsv2_sk_"],
        &[exactly(HEX, 32), text("_"), exactly(HEX, 10)],
    ),
    Rule::new("langfuse", "Langfuse", "a Langfuse secret key", &["sk-lf-"], &[exactly(UUID, 36)]),
    Rule::new("pinecone", "Pinecone", "a Pinecone API key", &["pcsk_"], &[from_to(NAME, 50, 90)]),
    Rule::new("tavily", "Tavily", "a Tavily API key", &["tvly-"], &[from_to(URL64, 32, 64)]),
    Rule::new("voyage", "Voyage", "a Voyage API key", &["pa-"], &[exactly(URL64, 43)]).entropy(4.2).alone(),
    Rule::new(
        "weights-and-biases",
        "Weights & Biases",
        "a Weights & Biases key",
        &["wandb_v1_"],
        &[from_to(NAME, 60, 96)],
    ),
    Rule::new("firecrawl", "Firecrawl", "a Firecrawl API key", &["fc-"], &[exactly(HEX, 32)]).alone(),
    Rule::new("e2b", "E2B", "an E2B API key", &["e2b_"], &[exactly(HEX, 40)]),
    Rule::new("elevenlabs", "ElevenLabs", "an ElevenLabs API key", &["sk_"], &[exactly(HEX, 48)]).alone(),
    Rule::new("jina", "Jina", "a Jina API key", &["jina_"], &[from_to(URL64, 48, 72)]),
    Rule::new("together", "Together", "a Together API key", &["tgp_v1_"], &[exactly(URL64, 43)]),
    Rule::new("browserbase", "Browserbase", "a Browserbase API key", &["bb_live_"], &[from_to(URL64, 20, 48)]),
    Rule::new("llamacloud", "LlamaIndex", "a LlamaCloud API key", &["llx-"], &[from_to(ALNUM, 40, 56)]),
    Rule::new("modal", "Modal", "a Modal token", &["ak-", "as-"], &[exactly(ALNUM, 22)]).entropy(3.6).alone(),
    Rule::new("runpod", "RunPod", "a RunPod API key", &["rpa_"], &[from_to(ALNUM, 40, 56)]),
    Rule::new("anyscale", "Anyscale", "an Anyscale token", &["esecret_", "aph0_"], &[from_to(ALNUM, 24, 96)]),
    Rule::new("cartesia", "Cartesia", "a Cartesia API key", &["sk_car_"], &[from_to(ALNUM, 20, 48)]),
    Rule::new("helicone", "Helicone", "a Helicone API key", &["sk-helicone-"], &[from_to(URL64, 20, 96)]),
    Rule::new("mem0", "Mem0", "a Mem0 API key", &["m0-"], &[exactly(ALNUM, 40)]).alone(),
    Rule::new("cursor", "Cursor", "a Cursor API key", &["key_"], &[exactly(HEX, 64)]).alone(),
];
