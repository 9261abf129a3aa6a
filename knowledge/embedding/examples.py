"""Questions with their answers, by which the cosines of an embedder are measured.

Twelve subjects far from each other, in both languages in the same order: the answer in a place is
related to the question there in either language, and unrelated to all other questions.
"""

from collections.abc import Mapping, Sequence

ENGLISH = (
    (
        "How long may goods be returned?",
        "Goods can be sent back within thirty days of delivery, in their own box.",
    ),
    (
        "Who signs the travel expenses?",
        "Travel expenses are signed by the head of the department and paid with the next salary.",
    ),
    (
        "What does the entrance to the museum cost?",
        "Tickets to the museum are nine euros, four for students; children get in free.",
    ),
    (
        "When does the train to Hangzhou leave?",
        "The fast train to Hangzhou departs at 7:25 every morning from platform three.",
    ),
    (
        "What can I do if I forgot my password?",
        'Choose "Forgot password" on the sign-in page and enter the code sent to your phone.',
    ),
    (
        "Why does the pump make a loud noise?",
        "A noisy pump usually has air in its housing: loosen the upper screw to let it out.",
    ),
    (
        "How often are tomatoes watered?",
        "In summer tomatoes get water in the morning and in the evening; keep the leaves dry.",
    ),
    (
        "Which vaccine must be kept frozen?",
        "The measles vaccine is stored below zero; all others stand in the refrigerator.",
    ),
    (
        "What is the notice period of the lease?",
        "Either party may end the tenancy in writing, three months in advance.",
    ),
    (
        "How is the battery of the phone replaced?",
        "Loosen the two screws at the bottom, lift the back cover and unplug the old battery.",
    ),
    (
        "Who won the chess tournament?",
        "In the last round Irina Volkova beat the favourite and took the first place in chess.",
    ),
    (
        "How many words may the essay have?",
        "Essays are limited to two thousand words, not counting notes and bibliography.",
    ),
)
CHINESE = (
    (
        "商品多少天内可以退货？",
        "收货后三十天内，商品连同原包装可以寄回。",
    ),
    (
        "差旅费由谁签字？",
        "差旅费由部门主管签字，随下月工资一并发放。",
    ),
    (
        "博物馆的门票多少钱？",
        "博物馆票价九欧元，学生四欧元，儿童免费入场。",
    ),
    (
        "去杭州的火车几点发车？",
        "开往杭州的高铁每天早上七点二十五分从三站台发车。",
    ),
    (
        "忘记密码怎么办？",
        "在登录页点击“忘记密码”，输入手机收到的验证码即可。",
    ),
    (
        "水泵为什么噪声很大？",
        "水泵发出噪声通常是泵体内有空气，拧松上方的螺丝排气即可。",
    ),
    (
        "番茄多久浇一次水？",
        "夏季早晚各给番茄浇一次水，叶片要保持干燥。",
    ),
    (
        "哪种疫苗必须冷冻保存？",
        "麻疹疫苗须在零度以下保存，其他疫苗放在冰箱冷藏。",
    ),
    (
        "租约要提前多久通知解除？",
        "任何一方均可书面解除租约，但须提前三个月通知。",
    ),
    (
        "手机电池怎么更换？",
        "拧下底部两颗螺丝，打开后盖，拔掉旧电池的接头。",
    ),
    (
        "象棋比赛谁得了冠军？",
        "最后一轮中，李文涛战胜了夺冠热门，获得象棋第一名。",
    ),
    (
        "论文最多可以写多少字？",
        "论文不得超过两千字，注释和参考文献不计在内。",
    ),
)
EXAMPLES: Mapping[str, Sequence[tuple[str, str]]] = {"en": ENGLISH, "zh": CHINESE}
"""Question and answer by language; English stands for every language that has none of its own."""
