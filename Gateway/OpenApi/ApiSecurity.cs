using HeartGrains.Gateway.Identity;
using Microsoft.OpenApi;

namespace HeartGrains.Gateway.OpenApi;

/// <summary>What callers prove who they are with, as the document says it.</summary>
internal static class ApiSecurity
{
    private const string Cookie = "readerCookie";
    private const string Header = "readerHeader";
    private const string UserToken = "userToken";
    private const string ServerKey = "serverKey";

    /// <summary>Adds the ways there are.</summary>
    public static void AddSchemes(OpenApiDocument document)
    {
        document.AddComponent(UserToken, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            BearerFormat = "JWT",
            Description = "A signed token of the user, who is its `sub`; where `HeartGrains:Auth:Jwt` is configured.",
        });
        document.AddComponent(ServerKey, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "A key of a back end, from `HeartGrains:Auth:Keys`, with a scope: `hearts:write` or `hearts:read` for any user, `hearts:admin` for everything.",
        });
        document.AddComponent(Cookie, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Cookie,
            Name = ReaderCookie.Name,
            Description = "The token of an anonymous reader; given with a first heart, renewed by itself.",
        });
        document.AddComponent(Header, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Header,
            Name = Readers.Header,
            Description = "The same where the browser keeps no cookie for us: from `POST /api/v1/reader?store=element`.",
        });
    }

    /// <summary>The ways that a call takes, any one of them; an empty one: without any, where the service believes what it is told, or makes a reader of who calls.</summary>
    public static List<OpenApiSecurityRequirement>? Of(OpenApiDocument document, Access access)
    {
        return access switch
        {
            Access.AnonymousReaders => [With(Cookie), With(Header), []],
            Access.Users => [With(UserToken), With(ServerKey, AuthScope.HeartsWrite), With(Cookie), With(Header), []],
            Access.ReadersOfUsers => [With(UserToken), With(ServerKey, AuthScope.HeartsRead), With(Cookie), With(Header), []],
            Access.Lists => [With(ServerKey, AuthScope.HeartsRead), []],
            Access.Subjects => [With(UserToken), With(ServerKey, AuthScope.HeartsAdmin), With(Cookie), With(Header)],
            Access.Accounts => [With(UserToken), With(ServerKey, AuthScope.HeartsWrite), []],
            Access.Operators => [With(ServerKey, AuthScope.HeartsAdmin)],
            _ => null,
        };

        OpenApiSecurityRequirement With(string scheme, params AuthScope[] scopes) =>
            new() { [new OpenApiSecuritySchemeReference(scheme, document)] = [.. scopes.Select(static scope => scope.NameOf())] };
    }
}
