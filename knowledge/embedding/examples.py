"""Questions with their answers, by which the cosines of an embedder are measured.

Twelve subjects far from each other, in both languages in the same order: the answer in a place is
related to the question there in either language, and unrelated to all other questions. Question
and answer share few words: pairs that share them lie nearer than real ones do.
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
        "买了东西不满意，几天之内能退？",
        "收货后三十天内，商品可以连同原包装一起寄回，逾期不再受理。",
    ),
    (
        "出差的钱报销要谁批？",
        "差旅费由部门主管签字，随下个月的工资一并发放，票据须在月底前交齐。",
    ),
    (
        "参观博物馆要花多少钱？",
        "普通票九欧元，学生凭证件四欧元，未满十四岁的儿童免费入馆。",
    ),
    (
        "去杭州最早坐几点的火车？",
        "开往杭州的高铁每天早上七点二十五分从三站台发出，约四小时到达。",
    ),
    (
        "密码想不起来了怎么办？",
        "在登录页点击“找回密码”，输入手机收到的验证码，就可以设置新的密码。",
    ),
    (
        "水泵为什么声音特别大？",
        "水泵发出噪声，多半是泵体内进了空气，拧松上方的螺丝把气排掉即可。",
    ),
    (
        "种番茄多长时间浇水一次？",
        "夏天早晚各浇一遍，水浇在土里，番茄的叶片要保持干燥，以免生病。",
    ),
    (
        "哪种疫苗不能只放在冷藏室？",
        "麻疹疫苗须在零度以下保存，其他几种放在冰箱的冷藏格里就可以。",
    ),
    (
        "不想再租了，要提前多久说？",
        "任何一方均可书面解除租约，但须提前三个月通知对方，押金在交房后退还。",
    ),
    (
        "手机的电池自己怎么换？",
        "先拧下底部的两颗螺丝，掀开后盖，再把旧电池的接头拔掉，装上新的。",
    ),
    (
        "这次象棋比赛谁赢了？",
        "最后一轮中，李文涛战胜了夺冠热门，拿到象棋组的第一名。",
    ),
    (
        "论文有没有字数限制？",
        "正文不得超过两千字，注释和参考文献不计在内，超出的部分不予评阅。",
    ),
)
EXAMPLES: Mapping[str, Sequence[tuple[str, str]]] = {"en": ENGLISH, "zh": CHINESE}
"""Question and answer by language; English stands for every language that has none of its own."""
