using System.Buffers.Binary;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Identity.Jwt;

namespace HeartGrains.Tests.Identity.Jwt;

public sealed class RememberedTokensTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddYears(60);

    [Fact]
    public void Find_UntilItExpires_IsTheSameProof()
    {
        var remembered = new RememberedTokens(10);
        var proof = Proof.OfUser("u", Now.AddSeconds(5));
        remembered.Add(HashOf(1), proof);
        remembered.Find(HashOf(1), Now).ShouldBeSameAs(proof);
        remembered.Find(HashOf(1), Now.AddSeconds(5)).ShouldBeNull();
        remembered.Find(HashOf(2), Now).ShouldBeNull();
    }

    [Fact]
    public void Add_MoreThanTheLimit_KeepsWhoIsAskedForAndIsBounded()
    {
        var remembered = new RememberedTokens(100);
        var asked = Proof.OfUser("asked", Now.AddDays(1));
        remembered.Add(HashOf(0), asked);
        for (var token = 1; token <= 10_000; token++)
        {
            remembered.Add(HashOf(token), Proof.OfUser("u", Now.AddDays(1)));
            remembered.Find(HashOf(0), Now).ShouldBeSameAs(asked);
            remembered.Count.ShouldBeLessThanOrEqualTo(100);
        }

        remembered.Find(HashOf(1), Now).ShouldBeNull();
    }

    private static byte[] HashOf(int token)
    {
        var hash = new byte[32];
        BinaryPrimitives.WriteInt32LittleEndian(hash.AsSpan(12), token);
        return hash;
    }
}
