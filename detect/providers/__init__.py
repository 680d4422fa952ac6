"""Vision-language models over an OpenAI-compatible API: who they are, what they are asked, what they cost."""
