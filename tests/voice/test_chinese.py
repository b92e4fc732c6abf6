"""How Chinese text is read aloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchor.bench import readings
from anchor.voice.text import mandarin, read


def spoken(text: str) -> str:
    tokens = read(text, "zh")
    assert "".join(token.text for token in tokens) == text
    said = (token.spoken if token.language == "zh" else f" {token.spoken} " for token in tokens if token.spoken)
    return "".join(said).strip()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2025年3月5日", "二零二五年三月五日"),
        ("2025-03-05", "二零二五年三月五日"),
        ("２０２５年", "二零二五年"),
        ("98年", "九八年"),
        ("70年历史", "七十年历史"),
        ("1990年代", "一九九零年代"),
        ("2019-2020年", "二零一九到二零二零年"),
        ("2023—2024赛季", "二零二三到二零二四赛季"),
        ("3月5-8日", "三月五到八日"),
        ("14:30", "十四点三十分"),
        ("2:05", "两点零五分"),
        ("9:00-17:30", "九点到十七点三十分"),
        ("增长3,215.6亿元", "增长三千二百一十五点六亿元"),
        ("¥1,299", "一千二百九十九元"),
        ("￥1299.50元", "一千二百九十九点五元"),
        ("$1.5亿", "一点五亿美元"),
        ("$1.5 billion", "十五亿美元"),
        ("HK$500", "五百港元"),
        ("100USD", "一百美元"),
        ("1.5万~2万元", "一点五万到两万元"),
        ("50%", "百分之五十"),
        ("-3.5%", "负百分之三点五"),
        ("3%-5%", "百分之三到百分之五"),
        ("5‰", "千分之五"),
        ("气温-5℃至3℃", "气温零下五摄氏度至三摄氏度"),
        ("120km/h", "一百二十公里每小时"),
        ("100㎡", "一百平方米"),
        ("2公斤", "两公斤"),
        ("2个", "两个"),
        ("12个", "十二个"),
        ("第2个", "第二个"),
        ("2月", "二月"),
        ("2000人", "两千人"),
        ("比分3:2", "比分三比二"),
        ("以2-1获胜", "以二比一获胜"),
        ("1:3的比例", "一比三的比例"),
        ("10~20人", "十到二十人"),
        ("5至10人", "五至十人"),
        ("10月1日-7日", "十月一日到七日"),
        ("2万-3万元", "两万到三万元"),
        ("15℃~20℃", "十五摄氏度到二十摄氏度"),
        ("气温3℃，-5℃", "气温三摄氏度零下五摄氏度"),
        ("12315热线", "幺二三幺五热线"),
        ("40μg/m³", "四十微克每立方米"),
        ("0515-0545", "零五一五到零五四五"),
        ("13812345678", "幺三八幺二三四五六七八"),
        ("拨打110报警", "拨打幺幺零报警"),
        ("400-800-1234", "四零零八零零幺二三四"),
        ("股票代码600519", "股票代码六零零五幺九"),
        ("G1234次", "G 幺二三四次"),
        ("5G网络", "五 G 网络"),
        ("COVID-19疫情", "Covid 十九疫情"),
        ("使用WebRTC技术", "使用 Web R T C 技术"),
        ("访问www.example.com", "访问 example dot com"),
        ("½", "二分之一"),
        ("±5", "正负五"),
        ("3×4=12", "三乘四等于十二"),
        ("-10", "负十"),
        ("127.0.0.1", "一二七点零点零点一"),
        ("12345678901元", "一百二十三亿四千五百六十七万八千九百零一元"),
    ],
)
def test_chinese_is_read_as_a_newsreader_would(text: str, said: str) -> None:
    assert spoken(text) == said


@pytest.mark.shared
def test_chinese_readings_agree_with_a_published_normaliser(shared: Path) -> None:
    pairs = [pair for of_class in readings.published(shared / "texts/tn_chinese").values() for pair in of_class]
    missed, total = readings.wrong(pairs, "zh", readings.alike)
    assert total >= 59
    assert len(missed) <= total * 0.02, missed


@pytest.mark.parametrize(
    ("text", "pinyin"),
    [
        ("银行行长", "yin2hang2 hang2zhang3"),
        ("重庆很重要", "chong2qing4 hen3 zhong4yao4"),
        ("孩子长大了", "hai2zi5 zhang3da4 le5"),
        ("音乐和快乐", "yin1yue4 he2 kuai4le4"),
        ("還款", "huan2kuan3"),
        ("銀行", "yin2hang2"),
        ("你好", "ni2hao3"),
        ("不是", "bu2shi4"),
        ("一个", "yi2ge4"),
        ("一起", "yi4qi3"),
        ("第一个", "di4 yi1 ge4"),
        ("一百二十一", "yi4bai3er4shi2 yi1"),
        ("展览馆", "zhan2lan2guan3"),
        ("认真地工作", "ren4zhen1 de5 gong1zuo4"),
        ("跑得很快", "pao3 de5 hen3kuai4"),
        ("两只鸟", "liang3 zhi1 niao3"),
    ],
)
def test_characters_with_several_readings_are_read_by_their_word(text: str, pinyin: str) -> None:
    words = mandarin.said(text)
    said = mandarin.sandhi(mandarin.pronounced(words))
    assert "".join("".join(word) for word in said) == pinyin.replace(" ", "")


def test_traditional_characters_are_cut_into_the_same_words_as_simplified_ones() -> None:
    traditional, simplified = "美國的數字化轉型史無前例", "美国的数字化转型史无前例"
    assert [len(word) for word in mandarin.words(traditional)] == [len(word) for word in mandarin.words(simplified)]
    assert "".join(mandarin.words(traditional)) == traditional
