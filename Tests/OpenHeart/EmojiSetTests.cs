using System.Text;
using HeartGrains.Gateway.OpenHeart;
using HeartGrains.Hosting;

namespace HeartGrains.Tests.OpenHeart;

public sealed class EmojiSetTests
{
    [Theory]
    [InlineData("❤️ and words", "❤️")]
    [InlineData(" \r\n\t❤️", "❤️")]
    [InlineData("\uFEFF❤️", "❤️")]
    [InlineData("❤", "❤")]
    [InlineData("❤❤️", "❤")]
    [InlineData("👩‍❤️‍💋‍👩👍", "👩‍❤️‍💋‍👩")]
    [InlineData("👍🏽=", "👍🏽")]
    [InlineData("🇹🇼🇯🇵", "🇹🇼")]
    [InlineData("1️⃣2️⃣", "1️⃣")]
    [InlineData("", "")]
    [InlineData("   ", "")]
    public void FirstOf_Text_IsItsFirstGrapheme(string text, string first) =>
        EmojiSet.FirstOf(Encoding.UTF8.GetBytes(text), isUrlEncoded: false).ShouldBe(first);

    [Theory]
    [InlineData("%E2%9D%A4%EF%B8%8F=", "❤️")]
    [InlineData("❤️=", "❤️")]
    [InlineData("+%20%E2%9D%A4%EF%B8%8F=1&a=b", "❤️")]
    public void FirstOf_Form_IsDecodedFirst(string text, string first) =>
        EmojiSet.FirstOf(Encoding.UTF8.GetBytes(text), isUrlEncoded: true).ShouldBe(first);

    [Fact]
    public void FirstOf_NoUnicode_IsNoEmoji() => EmojiSet.IsEmoji(EmojiSet.FirstOf([0xE2, 0x9D], isUrlEncoded: false)).ShouldBeFalse();

    [Fact]
    public void FirstOf_LongBody_StillIsItsFirstGrapheme() =>
        EmojiSet.FirstOf(Encoding.UTF8.GetBytes("👍" + new string('x', 10_000)), isUrlEncoded: true).ShouldBe("👍");

    [Fact]
    public void Parse_Variants_AreTakenWithAndWithoutTheSelector()
    {
        var emojis = EmojiSet.Parse("setting", "❤️,👍 1️⃣");

        emojis.All.ShouldBe(["❤️", "❤", "👍", "1️⃣", "1⃣"]);
        emojis.Takes("❤").ShouldBeTrue();
        emojis.Takes("👍🏽").ShouldBeFalse();
        emojis.Takes("").ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("❤️👍")]
    [InlineData("👍 8")]
    [InlineData("😀 😁 😂 😃 😄 😅 😆 😇 😈 😉 😊 😋 😌 😍 😎 😏 😐")]
    public void Parse_NoListOfEmoji_IsRefusedByItsSetting(string text) =>
        Should.Throw<StartException>(() => EmojiSet.Parse("HeartGrains:OpenHeart:Emojis", text)).Message.ShouldContain("HEARTGRAINS__OPENHEART__EMOJIS");
}
