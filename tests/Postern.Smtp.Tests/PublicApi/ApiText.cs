using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Postern.Smtp.Tests.PublicApi;

/// <summary>What an assembly promises to others: each public type and member as one line, in an order that never changes by itself.</summary>
internal static class ApiText
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly NullabilityInfoContext Nullability = new();

    public static string Of(Assembly assembly) =>
        string.Join('\n', assembly.GetExportedTypes().OrderBy(static t => t.FullName, StringComparer.Ordinal).SelectMany(Lines)) + "\n";

    private static IEnumerable<string> Lines(Type type)
    {
        yield return $"{Kind(type)} {Name(type)}{Bases(type)}";
        var members = type.IsEnum
            ? Enum.GetNames(type).Select(n => string.Create(CultureInfo.InvariantCulture, $"{n} = {Convert.ToInt64(Enum.Parse(type, n), CultureInfo.InvariantCulture)}"))
            : type.GetMembers(Declared).Where(IsPromised).Select(Describe).OfType<string>().Order(StringComparer.Ordinal);
        foreach (var member in members)
            yield return $"    {member}";
    }

    private static string Kind(Type type) =>
        type.IsInterface ? "interface"
        : type.IsEnum ? "enum"
        : typeof(Delegate).IsAssignableFrom(type) ? "delegate"
        : (type.IsAbstract && type.IsSealed ? "static " : type.IsAbstract ? "abstract " : type.IsSealed && !type.IsValueType ? "sealed " : string.Empty)
            + (type.GetMethod("<Clone>$") is not null ? "record" : type.IsValueType ? "struct" : "class");

    private static string Bases(Type type)
    {
        if (type.IsEnum)
            return string.Empty;
        var inherited = type.GetInterfaces().SelectMany(static i => i.GetInterfaces()).Concat(type.BaseType?.GetInterfaces() ?? []).Append(typeof(IEquatable<>).MakeGenericType(type)).ToHashSet();
        var bases = new[] { type.BaseType }.Where(static b => b is not null && b != typeof(object) && b != typeof(ValueType)).Select(static b => Name(b!))
            .Concat(type.GetInterfaces().Where(i => !inherited.Contains(i)).Select(Name).Order(StringComparer.Ordinal)).ToList();
        return bases.Count == 0 ? string.Empty : $" : {string.Join(", ", bases)}";
    }

    /// <summary>What an embedder can call or override; what the compiler made for records is left out.</summary>
    private static bool IsPromised(MemberInfo member) => member switch
    {
        MethodBase method => (method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly) && !IsMadeByCompiler(method) && (!method.IsSpecialName || method.IsConstructor || method.Name.StartsWith("op_", StringComparison.Ordinal)),
        FieldInfo field => (field.IsPublic || field.IsFamily) && !field.IsSpecialName,
        PropertyInfo property => !IsMadeByCompiler(property) && property.GetAccessors(nonPublic: true).Any(static a => a.IsPublic || a.IsFamily),
        EventInfo => true,
        _ => false,
    };

    private static bool IsMadeByCompiler(MemberInfo member) =>
        member.IsDefined(typeof(CompilerGeneratedAttribute)) || member.Name is "EqualityContract" or "<Clone>$" or "PrintMembers" or "Deconstruct" || member.Name.Contains('<', StringComparison.Ordinal);

    private static string? Describe(MemberInfo member) => member switch
    {
        ConstructorInfo constructor => $"new({Parameters(constructor)})",
        MethodInfo method => $"{Modifiers(method)}{Name(method.ReturnType, Nullability.Create(method.ReturnParameter))} {method.Name}{Generic(method)}({Parameters(method)})",
        PropertyInfo property => $"{Modifiers((property.GetMethod ?? property.SetMethod)!)}{(property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : string.Empty)}{Name(property.PropertyType, Nullability.Create(property))} {property.Name} {{ {Accessors(property)} }}",
        FieldInfo field => $"{(field.IsLiteral ? "const " : field.IsStatic ? "static readonly " : string.Empty)}{Name(field.FieldType, Nullability.Create(field))} {field.Name}{(field.IsLiteral ? $" = {field.GetRawConstantValue()}" : string.Empty)}",
        EventInfo happening => $"event {Name(happening.EventHandlerType!)} {happening.Name}",
        _ => null,
    };

    private static string Modifiers(MethodBase method) =>
        (method.IsFamily || method.IsFamilyOrAssembly ? "protected " : string.Empty) + (method.IsStatic ? "static " : string.Empty)
        + (method.DeclaringType!.IsInterface ? method.IsAbstract ? string.Empty : "default "
            : method.IsAbstract ? "abstract "
            : method.IsVirtual && !method.IsFinal && !method.DeclaringType.IsSealed ? "virtual " : string.Empty);

    private static string Accessors(PropertyInfo property)
    {
        var set = property.SetMethod is { } setter && (setter.IsPublic || setter.IsFamily)
            ? setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? "init;" : "set;"
            : null;
        return string.Join(' ', new[] { property.GetMethod is null ? null : "get;", set }.OfType<string>());
    }

    private static string Generic(MethodInfo method) => method.IsGenericMethodDefinition ? $"<{string.Join(", ", method.GetGenericArguments().Select(static a => a.Name))}>" : string.Empty;

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(static p =>
        $"{(p.IsDefined(typeof(ParamArrayAttribute)) || p.IsDefined(typeof(ParamCollectionAttribute)) ? "params " : string.Empty)}{(p.IsOut ? "out " : p.ParameterType.IsByRef ? "ref " : string.Empty)}{Name(p.ParameterType, Nullability.Create(p))} {p.Name}{(p.HasDefaultValue ? $" = {p.DefaultValue ?? "null"}" : string.Empty)}"));

    private static string Name(Type type, NullabilityInfo nullability)
    {
        var isNullable = !type.IsValueType && nullability.ReadState == NullabilityState.Nullable;
        if (type.IsGenericType && Nullable.GetUnderlyingType(type) is null && nullability.GenericTypeArguments.Length == type.GetGenericArguments().Length && !type.IsByRef)
            return Simple(type) + $"<{string.Join(", ", type.GetGenericArguments().Select((a, i) => Name(a, nullability.GenericTypeArguments[i])))}>" + (isNullable ? "?" : string.Empty);
        return Name(type) + (isNullable ? "?" : string.Empty);
    }

    private static string Name(Type type)
    {
        if (type.IsByRef)
            return Name(type.GetElementType()!);
        if (type.IsArray)
            return Name(type.GetElementType()!) + "[]";
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return Name(underlying) + "?";
        return type.IsGenericType ? $"{Simple(type)}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : Simple(type);
    }

    /// <summary>Full for the types of this repository, short for those that every reader knows.</summary>
    private static string Simple(Type type)
    {
        var name = type.Name.Split('`')[0];
        if (type.IsGenericParameter)
            return name;
        if (type.DeclaringType is { } outer)
            return $"{Simple(outer)}.{name}";
        return type.Namespace?.StartsWith("Postern", StringComparison.Ordinal) == true ? $"{type.Namespace}.{name}" : name;
    }
}
