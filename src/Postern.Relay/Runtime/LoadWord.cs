using Postern.Smtp.Overload;

namespace Postern.Relay.Runtime;

/// <summary>The word for each state of load, in the log and in <c>status</c>.</summary>
public static class LoadWord
{
    public static string Of(LoadState state) => state switch
    {
        LoadState.Normal => "normal",
        LoadState.Stressed => "stressed",
        _ => "full",
    };
}
