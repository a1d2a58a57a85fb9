namespace Postern.Smtp.Transport;

/// <summary>How far the octets read so far carry: a problem, a whole header, or how many more octets belong to it for certain.</summary>
internal readonly record struct ProxyStep(ProxyHeader? Header, string? Problem, int Need)
{
    public static ProxyStep More(int octets) => new(Header: null, Problem: null, octets);

    public static ProxyStep Wrong(string problem) => new(Header: null, problem, Need: 0);

    public static ProxyStep Whole(ProxyHeader header) => new(header, Problem: null, Need: 0);
}
