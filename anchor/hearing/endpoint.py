"""stub"""
COMPLETE_SECONDS = 0.4
def pause_after(text: str, language: str) -> float:
    t=text.lower().strip()
    if t.endswith(("i would like to","and","我想","um")): return 1.4
    return 0.35
