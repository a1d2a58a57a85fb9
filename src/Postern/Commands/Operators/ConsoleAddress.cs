using Postern.Configuration;

namespace Postern.Commands.Operators;

/// <summary>Where the console is, for links that people follow.</summary>
internal static class ConsoleAddress
{
    /// <summary>Without a slash at the end.</summary>
    public static string Of(PosternConfiguration configuration)
    {
        _ = configuration;
        return "http://127.0.0.1:2580";
    }
}
