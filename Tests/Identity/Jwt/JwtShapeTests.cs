using System.Text;
using HeartGrains.Gateway.Identity.Jwt;

namespace HeartGrains.Tests.Identity.Jwt;

public sealed class JwtShapeTests
{
    private const string Header = """{"alg":"ES256","kid":"ec","typ":"JWT"}""";
    private const string Claims = """{"iss":"https://login.example.com","aud":["hearts"],"sub":"u\u00e9","exp":2000000000,"nbf":1.5e9}""";

    [Fact]
    public void Read_AGoodToken_TellsAll()
    {
        JwtShape.Read(Token(Encoding.UTF8.GetBytes(Header), Encoding.UTF8.GetBytes(Claims)), out var shape).ShouldBeNull();
        shape.ShouldBe(new JwtShape("ES256", "ec", "ué", 1.5e9, 2e9));
    }

    /// <summary>Bytes of header and claims changed, dropped and doubled: whatever comes is read or refused, and nothing is thrown.</summary>
    [Fact]
    public void Read_AnyBytes_NeverThrows()
    {
        var random = new Random(42);
        var read = 0;
        for (var round = 0; round < 100_000; round++)
        {
            if (JwtShape.Read(Token(Spoil(Header, random), Spoil(Claims, random)), out _) is null) read++;
        }

        read.ShouldBeInRange(1, 99_999);
    }

    private static string Token(byte[] header, byte[] claims) => TestSigner.Encode(header) + "." + TestSigner.Encode(claims) + ".AAAA";

    private static byte[] Spoil(string text, Random random)
    {
        List<byte> bytes = [.. Encoding.UTF8.GetBytes(text)];
        for (var changes = random.Next(3); changes > 0; changes--)
        {
            var index = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0: bytes[index] = (byte)random.Next(256); break;
                case 1: bytes.RemoveAt(index); break;
                case 2: bytes.Insert(index, (byte)"\"\\{}[],:u0d"[random.Next(11)]); break;
                default: bytes.InsertRange(index, Encoding.ASCII.GetBytes("\\ud800")); break;
            }
        }

        return [.. bytes];
    }
}
