using System.Text;
using HeartGrains.Gateway.Identity;

namespace HeartGrains.Tests.Identity;

public sealed class ReaderSealTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 3, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(180);
    private readonly ReaderSeal _seal = SealOf("the secret of this service");
    private readonly ReaderToken _token = new(Guid.NewGuid(), Now);

    [Fact]
    public void TryOpen_ItsOwn_GivesWhatWasSealed()
    {
        var text = _seal.Seal(_token, "cookie");

        _seal.TryOpen(text, "cookie", Now, out var opened).ShouldBeTrue();
        opened.ShouldBe(_token);
        text.Length.ShouldBe(ReaderSeal.TextLength);
        text.ShouldAllBe(character => char.IsAsciiLetterOrDigit(character) || character == '-' || character == '_');
    }

    [Fact]
    public void TryOpen_AnyCharacterChanged_IsRefused()
    {
        var text = _seal.Seal(_token, "cookie");
        for (var index = 0; index < text.Length; index++)
        {
            var forged = text[..index] + (text[index] == 'A' ? 'B' : 'A') + text[(index + 1)..];
            _seal.TryOpen(forged, "cookie", Now, out _).ShouldBeFalse(forged);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("1################################################")]
    [InlineData("2AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void TryOpen_NoToken_IsRefused(string text) => _seal.TryOpen(text, "cookie", Now, out _).ShouldBeFalse();

    [Fact]
    public void TryOpen_OfAnotherServiceOrAnotherPurpose_IsRefused()
    {
        SealOf("the secret of another").TryOpen(_seal.Seal(_token, "cookie"), "cookie", Now, out _).ShouldBeFalse();
        _seal.TryOpen(_seal.Seal(_token, "element of https://a.example"), "element of https://b.example", Now, out _).ShouldBeFalse();
        _seal.TryOpen(_seal.Seal(_token, "cookie"), "element of ", Now, out _).ShouldBeFalse();
    }

    [Fact]
    public void TryOpen_ExpiredOrOfTheFuture_IsRefused()
    {
        var text = _seal.Seal(_token, "cookie");

        _seal.TryOpen(text, "cookie", Now + Lifetime - TimeSpan.FromSeconds(1), out _).ShouldBeTrue();
        _seal.TryOpen(text, "cookie", Now + Lifetime, out _).ShouldBeFalse();
        _seal.TryOpen(text, "cookie", Now - TimeSpan.FromMinutes(4), out _).ShouldBeTrue();
        _seal.TryOpen(text, "cookie", Now - TimeSpan.FromMinutes(6), out _).ShouldBeFalse();
    }

    /// <summary>Every 30 days another key signs; whoever had one of them could forge nothing of another month.</summary>
    [Fact]
    public void Seal_SameReaderInAnotherPeriod_OpensUnderAnotherKey()
    {
        var later = _token with { IssuedAt = Now + TimeSpan.FromDays(31) };
        _seal.TryOpen(_seal.Seal(later, "cookie"), "cookie", later.IssuedAt, out var opened).ShouldBeTrue();
        opened.Reader.ShouldBe(_token.Reader);
    }

    [Fact]
    public void TryOpen_SealedUnderThePreviousSecret_IsStillBelieved()
    {
        var rotated = new ReaderSeal("a new secret"u8.ToArray(), Encoding.UTF8.GetBytes("the secret of this service"), Lifetime);
        rotated.TryOpen(_seal.Seal(_token, "cookie"), "cookie", Now, out _).ShouldBeTrue();
        _seal.TryOpen(rotated.Seal(_token, "cookie"), "cookie", Now, out _).ShouldBeFalse();
    }

    [Fact]
    public void IsDue_HalfOfItsLife_IsReplaced()
    {
        _seal.IsDue(_token, Now + (Lifetime / 2) - TimeSpan.FromSeconds(1)).ShouldBeFalse();
        _seal.IsDue(_token, Now + (Lifetime / 2)).ShouldBeTrue();
    }

    private static ReaderSeal SealOf(string secret) => new(Encoding.UTF8.GetBytes(secret), null, Lifetime);
}
