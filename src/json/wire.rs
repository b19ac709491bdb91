//! The macro behind every wire struct: a named set of keys, each a [`Token`](super::Token).
//!
//! serde's derive refuses a frame that has the same key twice; the contract says that the last one counts (section 9).

/// A struct that [`wire_struct`] has made.
pub trait Wire<'a>: Default {
    /// Where the value of `key` goes; `None` if nobody wants it.
    fn slot(&mut self, key: &[u8]) -> Option<&mut super::Token<'a>>;
}

/// Defines a struct of [`Token`](super::Token)s that sonic-rs, or a [walk](super::walk), fills from an object: keys in
/// any order, the last of several wins, unknown ones are skipped.
macro_rules! wire_struct {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $key:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(super) struct $name<'a> { $($field: $crate::json::Token<'a>),* }

        impl<'a> $crate::json::Wire<'a> for $name<'a> {
            fn slot(&mut self, key: &[u8]) -> Option<&mut $crate::json::Token<'a>> {
                $(if key == $key.as_bytes() {
                    return Some(&mut self.$field);
                })*
                None
            }
        }

        const _: () = {
            use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

            #[expect(non_camel_case_types, reason = "the variants are the names of the fields")]
            enum Key { $($field,)* Unknown }

            struct KeyVisitor;

            impl Visitor<'_> for KeyVisitor {
                type Value = Key;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a key")
                }

                fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                    Ok(match key {
                        $($key => Key::$field,)*
                        _ => Key::Unknown,
                    })
                }
            }

            impl<'de> Deserialize<'de> for Key {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer.deserialize_identifier(KeyVisitor)
                }
            }

            struct ObjectVisitor<'a>(std::marker::PhantomData<&'a ()>);

            impl<'de: 'a, 'a> Visitor<'de> for ObjectVisitor<'a> {
                type Value = $name<'a>;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name<'a>, A::Error> {
                    let mut found = $name::default();
                    while let Some(key) = map.next_key()? {
                        match key {
                            $(Key::$field => found.$field = map.next_value()?,)*
                            Key::Unknown => drop(map.next_value::<IgnoredAny>()?),
                        }
                    }
                    Ok(found)
                }
            }

            impl<'de: 'a, 'a> Deserialize<'de> for $name<'a> {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer.deserialize_map(ObjectVisitor(std::marker::PhantomData))
                }
            }
        };
    };
}
pub(crate) use wire_struct;
