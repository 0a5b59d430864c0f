using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace HeartGrains.Gateway.OpenApi;

/// <summary>The shape of a value as JSON Schema says it. Immutable: the schema of a document is made of it when that is asked for.</summary>
internal sealed class Shape
{
    private readonly Func<OpenApiDocument, IOpenApiSchema> _make;

    private Shape(Func<OpenApiDocument, IOpenApiSchema> make) => _make = make;

    /// <summary>As a field it may be left out.</summary>
    public bool IsOptional { get; private init; }

    /// <summary>A string.</summary>
    public static Shape Text(string about, int? least = null, int? most = null, string? pattern = null, string? format = null) => new(_ => new OpenApiSchema
    {
        Type = JsonSchemaType.String, Description = about, MinLength = least, MaxLength = most, Pattern = pattern, Format = format,
    });

    /// <summary>One of some words.</summary>
    public static Shape OneOf(string about, params string[] words) => new(_ => new OpenApiSchema
    {
        Type = JsonSchemaType.String, Description = about, Enum = [.. words.Select(static word => (JsonNode)word)],
    });

    /// <summary>A point in time: RFC 3339.</summary>
    public static Shape Time(string about) => Text(about, format: "date-time");

    /// <summary>A whole number.</summary>
    public static Shape Whole(string about, long least = 0, long? most = null) => new(_ => new OpenApiSchema
    {
        Type = JsonSchemaType.Integer, Format = "int64", Description = about, Minimum = Invariant(least), Maximum = most is { } number ? Invariant(number) : null,
    });

    /// <summary>A number, never negative.</summary>
    public static Shape Number(string about) => new(_ => new OpenApiSchema { Type = JsonSchemaType.Number, Description = about, Minimum = "0" });

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public static Shape Flag(string about) => new(_ => new OpenApiSchema { Type = JsonSchemaType.Boolean, Description = about });

    /// <summary>Any value.</summary>
    public static Shape Anything(string about) => new(_ => new OpenApiSchema { Description = about });

    /// <summary>An array.</summary>
    public static Shape List(string about, Shape of, int? least = null, int? most = null) => new(document => new OpenApiSchema
    {
        Type = JsonSchemaType.Array, Description = about, Items = of.In(document), MinItems = least, MaxItems = most,
    });

    /// <summary>An object whose names are data.</summary>
    public static Shape Map(string about, Shape of) => new(document => new OpenApiSchema
    {
        Type = JsonSchemaType.Object, Description = about, AdditionalProperties = of.In(document),
    });

    /// <summary>An object with a name of its own among the document's components.</summary>
    public static Shape Object(string name, string about, params (string Name, Shape Shape)[] fields) => new(document =>
    {
        if (document.Components?.Schemas?.ContainsKey(name) is not true)
        {
            document.AddComponent(name, new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Description = about,
                Properties = fields.ToDictionary(static field => field.Name, field => field.Shape.In(document)),
                Required = fields.Where(static field => !field.Shape.IsOptional).Select(static field => field.Name).ToHashSet(),
            });
        }

        return new OpenApiSchemaReference(name, document);
    });

    /// <summary>The same, as a field that may be left out.</summary>
    public Shape Optional() => new(_make) { IsOptional = true };

    /// <summary>The same, or <c>null</c>.</summary>
    public Shape OrNull() => new(document =>
    {
        if (_make(document) is not OpenApiSchema schema) return new OpenApiSchema { AnyOf = [_make(document), new OpenApiSchema { Type = JsonSchemaType.Null }] };
        schema.Type |= JsonSchemaType.Null;
        return schema;
    })
    { IsOptional = IsOptional };

    /// <summary>The schema, in a document.</summary>
    public IOpenApiSchema In(OpenApiDocument document) => _make(document);

    private static string Invariant(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
