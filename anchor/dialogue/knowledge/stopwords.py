"""Words that a question is not told by."""

from anchor.dialogue.knowledge.stemming import stem

NEGATED = frozenset(
    """not no never dont cant wont didnt doesnt isnt wasnt arent werent havent hasnt hadnt couldnt cannot wouldnt
    shouldnt without nothing""".split()  # noqa: SIM905
)
"""English words that say that something is not so; they count as one word."""

_ENGLISH = """
    a an the of to in on at by with from as is are was were be been being am do does did doing has have had having i me
    my mine we us our you your yours he she they them their it its this that these those there here and or but if so
    then than just very really also too please hi hello hey thanks thank can could would should will shall may might
    must about into for up out some any all ok okay um uh er well let want like need know tell help how what which who
    because s t re ve ll d m got get im ive one thing something anything
""".split()  # noqa: SIM905
STOP_ENGLISH = frozenset(_ENGLISH) | frozenset(map(stem, _ENGLISH))

STOP_CHINESE = frozenset(
    """
    的 了 是 在 我 你 您 他 她 它 我们 你们 咱们 吗 呢 吧 啊 呀 嘛 么 哦 嗯 请 请问 一下
    这 那 这个 那个 就 都 也 和 与
    及 或 或者 把 被 给 对 从 到 又 再 还 很 有 个 一个 想 要 可以 能 能不能 会 应该 如果 的话 但是 因为 所以 你好 您好
    谢谢 麻烦 附近 最近 帮 帮我 告诉 知道 什么 怎么 怎样 如何 哪 哪个 需要 得 地 着 过 上 里 这里 那里 这儿 那儿 啦 哈
    呗 之 其
    """.split()  # noqa: SIM905
)
