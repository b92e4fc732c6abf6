"""Fifty English sentences of a bulletin, with what is heard where they are read well: news, numbers, names."""

from __future__ import annotations

BULLETIN: tuple[tuple[str, str], ...] = (
    ("Good evening, and welcome to the news.", ""),
    ("The government announced a new economic policy on Monday.", ""),
    ("Heavy rain is expected in the north tomorrow morning.", ""),
    ("Our team won the match last night after a long and difficult game.", ""),
    ("The central bank has left interest rates unchanged for the third month in a row.", ""),
    ("Two people were injured when a bus left the road near the river.", ""),
    ("Schools will open again next week after the longest holiday of the year.", ""),
    ("Scientists say the ice is melting faster than anyone had expected.", ""),
    ("The prime minister will meet leaders of the opposition this afternoon.", ""),
    ("Police are asking anyone who saw the accident to come forward.", ""),
    ("A fire at a warehouse outside the city was put out early this morning.", ""),
    ("The company plans to build a new factory and create several thousand jobs.", ""),
    ("Doctors are warning of an early start to the flu season.", ""),
    ("Thousands of passengers were stranded at the airport because of the snow.", ""),
    ("The court has ruled that the law does not go far enough.", ""),
    ("Farmers fear that the dry weather could destroy the harvest.", ""),
    ("The museum is showing paintings that have never been seen in public before.", ""),
    ("Voters go to the polls on Sunday to choose a new president.", ""),
    ("Oil prices fell sharply after the announcement.", ""),
    ("The bridge will stay closed until engineers have checked every part of it.", ""),
    ("Talks between the two countries will continue in the spring.", ""),
    ("The storm has moved out to sea, and the wind is expected to drop.", ""),
    ("Researchers have found a simple way to clean drinking water.", ""),
    ("The strike has ended, and trains are running again.", ""),
    ("More people than ever are working from home.", ""),
    ("The mayor thanked the volunteers for their help during the flood.", ""),
    ("Sales of electric cars have doubled since last year.", ""),
    ("The hospital says the patients are recovering well.", ""),
    ("An old ship was discovered at the bottom of the lake.", ""),
    ("That is all for now, thank you for watching, and good night.", ""),
    ("Prices rose by 3.2% in the last year.", "prices rose by three point two percent in the last year"),
    ("The temperature will reach 25 degrees on Friday.", "the temperature will reach twenty five degrees on friday"),
    ("The project will cost $40 million.", "the project will cost forty million dollars"),
    ("The meeting begins at 10:30 and ends at noon.", "the meeting begins at ten thirty and ends at noon"),
    ("About 1,500 visitors came on the first day.", "about one thousand five hundred visitors came on the first day"),
    ("The tower is 120 meters high.", "the tower is one hundred twenty meters high"),
    ("He was born on 5 March 1968.", "he was born on the fifth of march nineteen sixty eight"),
    ("Unemployment fell from 7% to 6%.", "unemployment fell from seven percent to six percent"),
    ("The 3rd runner finished in 12 minutes.", "the third runner finished in twelve minutes"),
    ("Call 555 1234 for more information.", "call five five five one two three four for more information"),
    ("1/3 of the members voted against it.", "one third of the members voted against it"),
    ("In 2025, the population passed 8 billion.", "in twenty twenty five the population passed eight billion"),
    ("Chancellor Schmidt arrived in Paris on Thursday.", ""),
    ("Doctor Johnson teaches history at Oxford.", ""),
    ("The festival in Barcelona attracts visitors from Brazil and Japan.", ""),
    ("Mary Robinson and David Miller will present the program.", ""),
    ("The flight from London to New York was delayed.", ""),
    ("Elizabeth Taylor was born in London and lived in California.", ""),
    ("The Danube flows through Vienna and Budapest.", ""),
    ("Michael Anderson reports from Washington.", ""),
)


def words(text: str, heard: str) -> list[str]:
    """What a recogniser should hear: lower case, without marks."""
    plain = (heard or text).lower().replace("-", " ")
    return "".join(letter for letter in plain if letter.isalpha() or letter in " '").split()
