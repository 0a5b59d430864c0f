using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Identity;

/// <summary>The calls of anonymous readers as the API's document describes them.</summary>
internal static class ReaderOperations
{
    private const string Group = "Readers";

    public static readonly Operation Tell = new("readReader", Group, "Whether this browser's reader is known", "By the token that came along, in the cookie or the header. Takes no query.")
    {
        Answers = [new(200, "Whether a believed token came.", Payload.Json(Shape.Object("KnownReader", "Whether a reader is known.", ("known", Shape.Flag("Whether a believed token came."))), """{"known":false}"""), Header.CacheControl("no-store"))],
        Problems = [Problem.InvalidQuery],
    };

    public static readonly Operation Issue = new("issueReader", Group, "A token for a reader", "In a cookie; or in the answer, for a page whose browser keeps no cookie for us, which sends it as the header `Heart-Reader` from then on.")
    {
        Access = Access.AnonymousReaders,
        Parameters = [new("store", Shape.OneOf("`element`: the token is kept by the element.", "element"), "element")],
        Answers =
        [
            new(200, "The reader has a token.", Payload.Json(
                Shape.Object("StoredReader", "Where a reader's token is.", ("stored", Shape.OneOf("Where.", "cookie", "element")), ("token", Shape.Text("The token, for the element to keep.").Optional())),
                """{"stored":"cookie"}"""), Header.CacheControl("no-store"), Header.NewReader, Header.NewReaderToken),
        ],
    };
}
