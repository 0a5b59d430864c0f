using HeartGrains.Gateway.Buttons;
using HeartGrains.Gateway.Identity;
using HeartGrains.Hosting;

namespace HeartGrains.Tests.Buttons;

public sealed class AddressReaderRulesTests
{
    [Fact]
    public void Of_SitesNamed_HaveTheirOwnModeAndOthersTheFirst()
    {
        var rules = AddressReaderRules.Parse("setting", " Soft , blog.example.com = strict,closed.example=OFF ");

        rules.Of("anything.example").ShouldBe(AddressReaders.Soft);
        rules.Of("BLOG.example.com").ShouldBe(AddressReaders.Strict);
        rules.Of("closed.example").ShouldBe(AddressReaders.Off);
    }

    [Theory]
    [InlineData("")]
    [InlineData("loose")]
    [InlineData("1")]
    [InlineData("blog.example.com=soft")]
    [InlineData("soft, strict")]
    [InlineData("soft, =off")]
    [InlineData("soft, a.example=off, A.example=soft")]
    public void Parse_NoSuchList_IsRefusedByItsSetting(string text) =>
        Should.Throw<StartException>(() => AddressReaderRules.Parse("HeartGrains:OpenHeart:AddressReaders", text)).Message.ShouldContain("HEARTGRAINS__OPENHEART__ADDRESSREADERS");
}
